"""What stands in the database about webhooks that come in and that go out."""

from webhooks.models.endpoint import AnswerMode, WebhookEndpoint
from webhooks.models.event import EventVerdict, WebhookEvent
from webhooks.models.outbound_delivery import OutboundAttempt, OutboundDelivery
from webhooks.models.subscription import OffReason, Subscription
from webhooks.models.tried_delivery import TestDelivery
from webhooks.models.unmatched import UnmatchedRequest

__all__ = [
    "AnswerMode",
    "EventVerdict",
    "OffReason",
    "OutboundAttempt",
    "OutboundDelivery",
    "Subscription",
    "TestDelivery",
    "UnmatchedRequest",
    "WebhookEndpoint",
    "WebhookEvent",
]
