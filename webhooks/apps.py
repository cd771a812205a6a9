"""The app of inbound webhooks."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Endpoints, signature schemes and the log of what arrived."""

    name = "webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        """Say what retention deletes here."""
        from automation.services.replay_sources import repeaters  # noqa: PLC0415  # models first
        from automation.services.retention import others  # noqa: PLC0415  # the models must be loaded first
        from webhooks.services.replays import SOURCE, repeat_event  # noqa: PLC0415  # models first
        from webhooks.services.retention import forget_old  # noqa: PLC0415  # models first

        others.register("webhook events", forget_old)
        repeaters.register(SOURCE, repeat_event)
