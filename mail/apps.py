"""The app of e-mail triggers."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Mailboxes that are read and addresses that mail is sent to."""

    name = "mail"
    label = "mail"
    verbose_name = "E-mail"
