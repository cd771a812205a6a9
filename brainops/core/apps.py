"""The core app: checks, commands and one small table of what all processes counted."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Django's handle on the core room."""

    name = "brainops.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Register the checks at start, and how old the database is, and a sweep."""
        from brainops.core import (  # noqa: PLC0415  # models first
            changes,
            checks,  # noqa: F401  (they need the models of every room)
            health,
            housekeeping,
            schema_age,
        )

        health.components.register("schema", schema_age.component)
        housekeeping.sweeps.register("changes", changes.sweep)
