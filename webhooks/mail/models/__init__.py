"""The tables of this app."""

from webhooks.mail.models.address import MailAddress

__all__ = ["MailAddress"]
