"""The tables of this app."""

from mail.models.address import MailAddress

__all__ = ["MailAddress"]
