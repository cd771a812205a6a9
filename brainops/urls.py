"""Every address of the installation.

API routes are declared without a trailing slash; the form with one is served as well, without a redirect
(brainops/core/web/context.py takes the slash off before routing).
"""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path

API_ROOMS = ("brainops.core", "brainops.accounts", "integrations", "automation", "webhooks")

urlpatterns = [
    *(
        path("api/v1/automation/", include(f"{room}.api.routes"))
        for room in API_ROOMS
        if find_spec(f"{room}.api") and find_spec(f"{room}.api.routes")
    ),
    path("admin/", admin.site.urls),
]
