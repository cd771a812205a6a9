"""The app of inbound webhooks."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Endpoints, signature schemes and the log of what arrived."""

    name = "webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"
