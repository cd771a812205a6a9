"""The integrations app: what BrainOps can do at other services."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Django's handle on the integrations room."""

    name = "integrations"
    label = "integrations"
    verbose_name = "Integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks at start."""
        from integrations import checks  # noqa: F401, PLC0415  (they need the settings, loaded by now)
