"""The accounts app: who calls, for which workspace, with which rights."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Django's handle on the accounts room."""

    name = "brainops.accounts"
    label = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what others find by import."""
        # Here and not at the top: they need the models.
        import brainops.accounts.api.openapi  # noqa: PLC0415  # models first
        import brainops.accounts.checks  # noqa: F401, PLC0415  # models first
        from brainops.accounts.services import (  # noqa: PLC0415  # models first
            factor_secrets,
            login_limits,
            one_time,
            reset_mails,
            sessions,
        )
        from brainops.core import housekeeping, rotation  # noqa: PLC0415  # models first

        housekeeping.sweeps.register("login limits", login_limits.forget_old)
        housekeeping.sweeps.register("login sessions", sessions.forget_old)
        housekeeping.sweeps.register("one-time tokens", one_time.forget_old)
        housekeeping.sweeps.register("reset mails", reset_mails.deliver_soon)
        rotation.rewriters.register("second factors", factor_secrets.rewrite)
        rotation.lasting_uses.register("second factors", factor_secrets.older_key_use)
