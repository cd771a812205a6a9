"""The audit app: what was done, by whom, and the proof that nobody changed the record."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Django's handle on the audit room."""

    name = "brainops.audit"
    label = "audit"
    verbose_name = "Audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what else needs the encryption keys."""
        from brainops.audit.services import key_use  # noqa: PLC0415  (it needs the models)
        from brainops.core import rotation  # noqa: PLC0415  (as above)

        rotation.lasting_uses.register("audit log", key_use.older_key_needed)
