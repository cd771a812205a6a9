"""What stands in the database about inbound webhooks."""

from webhooks.models.endpoint import AnswerMode, WebhookEndpoint
from webhooks.models.event import EventVerdict, WebhookEvent
from webhooks.models.test_delivery import TestDelivery
from webhooks.models.unmatched import UnmatchedRequest

__all__ = ["AnswerMode", "EventVerdict", "TestDelivery", "UnmatchedRequest", "WebhookEndpoint", "WebhookEvent"]
