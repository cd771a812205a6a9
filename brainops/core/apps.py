"""The core app: checks, commands and one small table of what all processes counted."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Django's handle on the core room."""

    name = "brainops.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Register the checks at start."""
        from brainops.core import checks  # noqa: F401, PLC0415  (they need the models of every room)
