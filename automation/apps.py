"""The automation app: workflows, runs and everything that moves them."""

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_save

from automation.engine.weight import limit_values


class AutomationConfig(AppConfig):
    """Django's handle on the automation room."""

    name = "automation"
    label = "automation"
    verbose_name = "Automation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what the minute's sweep deletes here, and how this room is doing."""
        from automation.services import (  # noqa: PLC0415  # models first
            arrivals,
            backfill_orders,
            database_watches,
            departures,
            event_vitals,
            files,
            idempotency,
            notice_acts,
            notice_people,
            notice_sending,
            outboxes,
            quotas,
            replay_sources,
            retention,
            schedules,
            soundness,
            sources,
            state,
            storage_use,
            tally,
            transfers,
            vitals,
        )
        from brainops.accounts import belongings, usage  # noqa: PLC0415  # models first
        from brainops.accounts.models import Workspace  # noqa: PLC0415  # models first
        from brainops.core import health, housekeeping, metrics  # noqa: PLC0415  # models first

        limit_values(settings.BRAINOPS_LIMITS["value_bytes"])
        housekeeping.sweeps.register("idempotency keys", idempotency.forget_old)
        housekeeping.sweeps.register("tally of runs", tally.count_ended)  # before they go
        housekeeping.sweeps.register("runs", retention.sweeper.start)
        housekeeping.sweeps.register("firing ledger", schedules.forget_old_firings)
        housekeeping.sweeps.register("planned slots", backfill_orders.forget_old)
        replay_sources.repeaters.register(backfill_orders.SOURCE, backfill_orders.repeat_slot)
        housekeeping.sweeps.register("arrival ledger", arrivals.forget_old)
        housekeeping.sweeps.register("watched tables", database_watches.end_orphans)
        housekeeping.sweeps.register("notices", notice_acts.forget_old)
        housekeeping.sweeps.register("storage use", storage_use.measure_if_due)
        housekeeping.sweeps.register("state and events", state.forget_expired)
        housekeeping.sweeps.register("files", files.forget_expired)
        housekeeping.sweeps.register("exports and imports", transfers.forget_expired)
        outboxes.known.register("notices", notice_sending.outbox())
        outboxes.known.register("sources", sources.outbox())
        health.components.register("workers", vitals.workers)
        health.components.register("workflows", soundness.component)
        metrics.sample_providers.register("runs and workers", vitals.samples)
        metrics.sample_providers.register("events", event_vitals.samples)
        belongings.departures.register("automation", departures.departure)
        belongings.clearances.register("automation", departures.clearance)
        belongings.renames.register("approvals", departures.follow_rename)
        belongings.renames.register("notices", notice_people.follow_rename)
        usage.providers.register("automation", quotas.uses)
        post_save.connect(quotas.remembered.changed, sender=Workspace, dispatch_uid="quotas")
        self._say_what_is_listened_to()

    def _say_what_is_listened_to(self) -> None:
        from automation.services import listeners, streams  # noqa: PLC0415  # models first
        from brainops.core import health, metrics  # noqa: PLC0415  # models first

        health.components.register("consumer", listeners.component)
        metrics.sample_providers.register("listeners", listeners.samples)
        listeners.listeners.register("streams", streams.streams)
