"""The audit app: what was done, by whom, and the proof that nobody changed the record."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Django's handle on the audit room."""

    name = "brainops.audit"
    label = "audit"
    verbose_name = "Audit"
    default_auto_field = "django.db.models.BigAutoField"
