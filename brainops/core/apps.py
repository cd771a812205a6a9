"""The core app: no tables of its own, but checks and commands."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Django's handle on the core room."""

    name = "brainops.core"
    label = "core"
    verbose_name = "Core"
