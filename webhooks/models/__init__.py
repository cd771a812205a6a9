"""What stands in the database about inbound webhooks."""

from webhooks.models.endpoint import AnswerMode, WebhookEndpoint
from webhooks.models.event import EventVerdict, WebhookEvent

__all__ = ["AnswerMode", "EventVerdict", "WebhookEndpoint", "WebhookEvent"]
