"""Every address of the installation.

API routes are declared without a trailing slash; the form with one is served as well, without a redirect
(brainops/core/web/context.py takes the slash off before routing).
"""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from brainops.accounts.pages.invitations import invitation_page
from brainops.core.api.openapi import schema_json
from brainops.core.api.page import SCHEMA_NAME, api_page
from brainops.core.web.internal import metrics_page

# Webhooks first: theirs is the busiest route, and every pattern that is tried before it costs 1-2 µs.
API_ROOMS = ("webhooks", "brainops.core", "brainops.accounts", "automation")

urlpatterns = [
    *(path("api/v1/automation/", include(f"{room}.api.routes")) for room in API_ROOMS),
    path("internal/metrics", metrics_page, name="metrics-page"),
    # the API's description as a page, for staff who are logged in to the admin
    path("admin/api/", admin.site.admin_view(api_page), name="api-page"),
    path("admin/api/schema.json", admin.site.admin_view(schema_json), name=SCHEMA_NAME),
    path("admin/", admin.site.urls),
    path("", include("brainops.accounts.pages.routes")),
    path("", include("automation.pages.routes")),
    # the link of a mail; the token in it is the proof
    path("invitations/<str:token>", invitation_page, name="invitation-page"),
    # what people type
    path("", RedirectView.as_view(url="/admin/")),
    path("admin", RedirectView.as_view(url="/admin/")),
]

handler400 = "brainops.core.web.fallbacks.bad_request"
handler403 = "brainops.core.web.fallbacks.permission_denied"
handler404 = "brainops.core.web.fallbacks.not_found"
handler500 = "brainops.core.web.fallbacks.server_error"
