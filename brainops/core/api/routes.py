"""Routes of the installation itself."""

from django.urls import path

from brainops.core.api.health import HealthView
from brainops.core.api.openapi import SchemaView

urlpatterns = [
    path("health", HealthView.as_view(), name="health"),
    path("schema", SchemaView.as_view(), name="schema"),
]
