"""Where the consumer process is to listen for mail."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Event

from django.conf import settings

from automation.services.listeners import Listener, fingerprint

KEY = "smtp"


def receivers() -> Iterable[Listener]:
    """The receiver, where a domain is set; anew when a setting or a certificate changes."""
    inbound = settings.BRAINOPS_INBOUND_MAIL
    if inbound["domain"]:
        files = [_changed_at(inbound[name]) for name in ("certificate", "key")]
        # every consumer process listens, each on the host that it is on
        yield Listener(KEY, fingerprint(inbound, files), _listen, is_alone=False)


def _listen(stop: Event) -> None:
    from webhooks.mail.smtp.receiver import listen  # noqa: PLC0415  # a mail server: no other process loads it

    listen(stop)


def _changed_at(path: str) -> float | None:
    try:
        return Path(path).stat().st_mtime if path else None
    except OSError:
        return None
