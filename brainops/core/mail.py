"""Send one plain mail through the server of the settings, or say why not.

Call it outside of a transaction: it waits for the network, at most EMAIL_TIMEOUT seconds.
"""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.core.mail import EmailMessage

from brainops.core import logs

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


def send(to: str, *, subject: str, text: str) -> Delivery:
    """Hand a mail to the server. Never raises for what the network or the server does."""
    if not has_server():
        return Delivery.NO_SERVER
    # one line: Django refuses a subject with a line break (header injection), and a name may hold one
    mail = EmailMessage(" ".join(subject.split()), text, to=[to])
    try:
        mail.send()
    except OSError as error:  # smtplib's own refusals are OSErrors, too
        log.warning("mail_failed", error=type(error).__name__, reason=str(error)[:300])
        return Delivery.FAILED
    return Delivery.SENT
