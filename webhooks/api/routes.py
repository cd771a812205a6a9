"""Routes of webhooks."""

from django.urls import path

from webhooks.api.endpoints import EndpointViewSet
from webhooks.api.events import EventViewSet
from webhooks.api.receive import receive_view
from webhooks.api.replays import EventReplayViewSet

_endpoint = "webhooks/<uuid:webhook_id>"
_event = f"{_endpoint}/events/<uuid:event_id>"

urlpatterns = [
    path(f"{_endpoint}/receive", receive_view, name="webhook-receive"),
    path("webhooks", EndpointViewSet.as_view({"get": "list"}), name="webhooks"),
    path(_endpoint, EndpointViewSet.as_view({"get": "retrieve"}), name="webhook"),
    path(f"{_endpoint}/rotate", EndpointViewSet.as_view({"post": "rotate"}), name="webhook-rotate"),
    path(f"{_endpoint}/test", EndpointViewSet.as_view({"post": "test"}), name="webhook-test"),
    path(f"{_endpoint}/events", EventViewSet.as_view({"get": "list"}), name="webhook-events"),
    path(f"{_endpoint}/replay", EventReplayViewSet.as_view({"post": "replay_many"}), name="webhook-replay"),
    path(f"{_endpoint}/replay/preview", EventReplayViewSet.as_view({"post": "preview"}), name="webhook-replay-preview"),
    path(f"{_endpoint}/replay/dry-run", EventReplayViewSet.as_view({"post": "dry_run_many"}), name="webhook-dry-run"),
    path(f"{_event}/replay", EventReplayViewSet.as_view({"post": "replay"}), name="webhook-event-replay"),
    path(f"{_event}/dry-run", EventReplayViewSet.as_view({"post": "dry_run"}), name="webhook-event-dry-run"),
    path(f"{_event}/curl", EventReplayViewSet.as_view({"get": "curl"}), name="webhook-event-curl"),
    path(_event, EventViewSet.as_view({"get": "retrieve"}), name="webhook-event"),
]
