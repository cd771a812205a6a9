"""The automation app: workflows, runs and everything that moves them."""

from django.apps import AppConfig


class AutomationConfig(AppConfig):
    """Django's handle on the automation room."""

    name = "automation"
    label = "automation"
    verbose_name = "Automation"
    default_auto_field = "django.db.models.BigAutoField"
