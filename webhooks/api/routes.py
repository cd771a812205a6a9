"""Routes of webhooks."""

from django.urls import path

from webhooks.api.endpoints import EndpointViewSet
from webhooks.api.events import EventViewSet
from webhooks.api.receive import receive_view

_endpoint = "webhooks/<uuid:webhook_id>"

urlpatterns = [
    path(f"{_endpoint}/receive", receive_view, name="webhook-receive"),
    path("webhooks", EndpointViewSet.as_view({"get": "list"}), name="webhooks"),
    path(_endpoint, EndpointViewSet.as_view({"get": "retrieve"}), name="webhook"),
    path(f"{_endpoint}/rotate", EndpointViewSet.as_view({"post": "rotate"}), name="webhook-rotate"),
    path(f"{_endpoint}/test", EndpointViewSet.as_view({"post": "test"}), name="webhook-test"),
    path(f"{_endpoint}/events", EventViewSet.as_view({"get": "list"}), name="webhook-events"),
    path(f"{_endpoint}/events/<uuid:event_id>", EventViewSet.as_view({"get": "retrieve"}), name="webhook-event"),
]
