"""Send one mail through the server of the settings, or say why not.

Call it outside of a transaction: it waits for the network, at most EMAIL_TIMEOUT seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from brainops.core import logs
from brainops.core.message_ids import new_message_id

_DUMMY = "django.core.mail.backends.dummy.EmailBackend"

log = logs.get_logger(__name__)


class Delivery(StrEnum):
    """What became of a mail."""

    SENT = "sent"  # the server took it
    FAILED = "failed"  # the server refused it or is away; the log says why
    NO_SERVER = "no_server"  # none is configured


def has_server() -> bool:
    """True when mails can be sent at all."""
    return bool(settings.EMAIL_BACKEND != _DUMMY)


class MailRefused(Exception):
    """A mail that the server did not take. `is_final`: it will never take it for this address (RFC 5321, 4.2.1)."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


def send(to: str, *, subject: str, text: str) -> Delivery:
    """Hand a mail to the server. Never raises for what the network or the server does."""
    if not has_server():
        return Delivery.NO_SERVER
    try:
        deliver(to, subject=subject, text=text)
    except MailRefused as refusal:
        log.warning("mail_failed", reason=str(refusal))
        return Delivery.FAILED
    return Delivery.SENT


def deliver(to: str, *, subject: str, text: str, html: str = "", headers: Mapping[str, str] | None = None) -> None:
    """Hand a mail for one person to the server. Raises MailRefused, also for a header that would end its line."""
    if not has_server():
        raise MailRefused("This installation sends no mail: BRAINOPS_EMAIL_URL is not set.")
    own = {"Message-ID": new_message_id(), "Auto-Submitted": "auto-generated"}  # RFC 3834: nobody's machine answers it
    mail = EmailMultiAlternatives(one_line(subject), text, to=[to], headers={**own, **(headers or {})})
    if html:
        mail.attach_alternative(html, "text/html")
    try:
        mail.send()
    except OSError as error:  # smtplib's own refusals are OSErrors, too
        raise MailRefused(f"{type(error).__name__}: {str(error)[:300]}", is_final=_is_final(error)) from error
    except ValueError as error:  # BadHeaderError, or an address that is none
        raise MailRefused(f"The mail cannot be written: {str(error)[:300]}", is_final=True) from error


def one_line(text: str) -> str:
    """People's text as a subject: Django refuses line breaks (header injection), and a name may hold one."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _is_final(error: OSError) -> bool:
    """True when the server refused the recipient with a 5xx; what it says of sender or login may be put right."""
    refused: Any = getattr(error, "recipients", None)
    return isinstance(refused, dict) and bool(refused) and all(code >= 500 for code, _reason in refused.values())
