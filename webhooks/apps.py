"""The app of webhooks that come in and that go out."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Endpoints, signature schemes and the log of what arrived; subscriptions and what they are sent."""

    name = "webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        """Say what retention deletes here, and what a replay may repeat."""
        from automation.services import event_listeners, outboxes  # noqa: PLC0415  # the models must be loaded first
        from automation.services.due import each_second  # noqa: PLC0415  # models first
        from automation.services.replay_sources import repeaters  # noqa: PLC0415  # models first
        from automation.services.retention import others  # noqa: PLC0415  # the models must be loaded first
        from brainops.core import metrics  # noqa: PLC0415  # models first
        from webhooks.services import (  # noqa: PLC0415  # models first
            outbound_acts,
            outbound_figures,
            outbound_intake,
            outbound_sending,
        )
        from webhooks.services.buffers import release_due  # noqa: PLC0415  # models first
        from webhooks.services.replays import SOURCE, repeat_event  # noqa: PLC0415  # models first
        from webhooks.services.retention import forget_old  # noqa: PLC0415  # models first

        others.register("webhook events", forget_old)
        each_second.register("buffered deliveries", release_due)
        others.register("outbound deliveries", outbound_acts.forget_old)
        outboxes.known.register("subscriptions", outbound_sending.outbox())
        event_listeners.listeners.register(outbound_intake.LISTENER, outbound_intake.listener())
        metrics.sample_providers.register("subscriptions", outbound_figures.samples)
        repeaters.register(SOURCE, repeat_event)
