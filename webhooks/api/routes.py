"""Routes of webhooks."""

from typing import Any

from django.urls import path

from webhooks.api.endpoints import EndpointViewSet
from webhooks.api.events import EventViewSet
from webhooks.api.outbound_deliveries import OutboundDeliveryViewSet
from webhooks.api.receive import receive_behind_view, receive_view, status_view, tried_behind_view, tried_view
from webhooks.api.replays import EventReplayViewSet
from webhooks.api.subscriptions import SubscriptionViewSet
from webhooks.api.tried_deliveries import ListenViewSet, TriedDeliveryViewSet

_endpoint = "webhooks/<uuid:webhook_id>"
_test = "webhooks/test/<uuid:test_id>"
_event = f"{_endpoint}/events/<uuid:event_id>"
_subscription = "subscriptions/<uuid:id>"
_delivery = f"{_subscription}/deliveries/<uuid:delivery_id>"
_one: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}

urlpatterns = [
    path("subscriptions", SubscriptionViewSet.as_view({"get": "list", "post": "create"}), name="subscriptions"),
    path(_subscription, SubscriptionViewSet.as_view(_one), name="subscription"),
    path(f"{_subscription}/rotate", SubscriptionViewSet.as_view({"post": "rotate"}), name="subscription-rotate"),
    path(f"{_subscription}/test", SubscriptionViewSet.as_view({"post": "test"}), name="subscription-test"),
    path(f"{_subscription}/replay", OutboundDeliveryViewSet.as_view({"post": "replay"}), name="subscription-replay"),
    path(
        f"{_subscription}/deliveries", OutboundDeliveryViewSet.as_view({"get": "list"}), name="subscription-deliveries"
    ),
    path(_delivery, OutboundDeliveryViewSet.as_view({"get": "retrieve"}), name="subscription-delivery"),
    path(f"{_delivery}/redeliver", OutboundDeliveryViewSet.as_view({"post": "redeliver"}), name="subscription-again"),
    path(f"{_endpoint}/receive", receive_view, name="webhook-receive"),
    path(f"{_endpoint}/receive/<path:path>", receive_behind_view, name="webhook-receive-path"),
    path(_test, tried_view, name="webhook-test-address"),
    path(f"{_test}/<path:path>", tried_behind_view, name="webhook-test-address-path"),
    path("webhooks/status/<str:token>", status_view, name="webhook-status"),
    path(f"{_endpoint}/listen", ListenViewSet.as_view({"post": "listen", "delete": "stop"}), name="webhook-listen"),
    path(f"{_endpoint}/test-deliveries", TriedDeliveryViewSet.as_view({"get": "list"}), name="webhook-tried"),
    path(
        f"{_endpoint}/test-deliveries/latest",
        TriedDeliveryViewSet.as_view({"get": "latest"}),
        name="webhook-tried-latest",
    ),
    path(
        f"{_endpoint}/test-deliveries/<uuid:delivery_id>",
        TriedDeliveryViewSet.as_view({"get": "retrieve"}),
        name="webhook-tried-one",
    ),
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
