"""The app of e-mail triggers."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Mailboxes that are read and addresses that mail is sent to."""

    name = "webhooks.mail"
    label = "mail"
    verbose_name = "E-mail"

    def ready(self) -> None:
        """Say what the consumer process listens to here."""
        from automation.services.listeners import listeners  # noqa: PLC0415  # the models must be loaded first
        from webhooks.mail.imap.bell import mailboxes  # noqa: PLC0415  # models first
        from webhooks.mail.services import meters  # noqa: F401, PLC0415  # every process knows what the consumer counts
        from webhooks.mail.smtp.wanted import receivers  # noqa: PLC0415  # models first

        listeners.register("mailboxes", mailboxes)
        listeners.register("smtp", receivers)
