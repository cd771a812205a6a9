"""The bell of a mailbox: while its server says that something came (IDLE, RFC 2177), its source is looked at at once.

Only a bell: what is taken, and up to where, is decided by the look alone. Without a consumer process, or with a server
that cannot do it, mails are found by the next look.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from threading import Event
from time import monotonic
from uuid import UUID

from django.db import connections

from automation.models import Trigger
from automation.services import sources
from automation.services.listeners import Listener, fingerprint
from automation.services.poll_context import Opened, secrets_of
from automation.triggers.contract import SourceError
from webhooks.mail.imap.connection import LONGEST_SPARE_BYTES, Account, Mailbox, opened
from webhooks.mail.imap.folder import open_folder
from webhooks.mail.imap.settings import account

STOP_SECONDS = 1.0  # between two looks at the stop flag
RENEW_SECONDS = 240.0  # routers forget connections that are silent for five minutes
SESSION_SECONDS = 1500.0
UNABLE_PAUSE_SECONDS = 3600.0


def mailboxes() -> Iterable[Listener]:
    """The mailboxes whose servers are to ring."""
    rows = Trigger.objects.filter(kind="email", is_active=True, config__mailbox__idle=True, workflow__is_active=True)
    for id_, config in rows.filter(workflow__archived_at=None).values_list("id", "config"):
        yield Listener(f"mailbox:{id_}", fingerprint(config["mailbox"]), partial(listen, id_))


def listen(trigger_id: UUID, stop: Event) -> None:
    """Listen until `stop`. Raises SourceError when the server cannot be reached or cannot do it."""
    trigger = Trigger.objects.get(id=trigger_id)
    owner = account(trigger.config["mailbox"], secrets_of(trigger, Opened()))
    while not stop.is_set():
        _listen_once(owner, trigger, stop)


def _listen_once(owner: Account, trigger: Trigger, stop: Event) -> None:
    """One connection. What came before it stood is found by a look of its own."""
    connections.close_all()  # nothing is held while the server is silent
    with opened(owner, largest=LONGEST_SPARE_BYTES, seconds=SESSION_SECONDS + RENEW_SECONDS) as mailbox:
        if "IDLE" not in mailbox.client.capabilities:
            said = f'{owner.host} cannot tell of new mails (IDLE); they are found by the looks. Set "idle" to false.'
            raise SourceError(said, code="imap_failed", retry_after_seconds=UNABLE_PAUSE_SECONDS)
        open_folder(mailbox, trigger.config["mailbox"]["folder"], is_readonly=True)
        _ring(trigger.id)
        ends_at = monotonic() + SESSION_SECONDS
        while not stop.is_set() and monotonic() < ends_at:
            if _has_come(mailbox, stop):
                _ring(trigger.id)


def _has_come(mailbox: Mailbox, stop: Event) -> bool:
    """Wait for the server to say something, until it is time to say that we are still there."""
    renew_at = monotonic() + RENEW_SECONDS
    said: list[bytes] = []
    with mailbox.idle as idle:
        while not said and not stop.is_set() and monotonic() < renew_at:
            said = idle.poll(timeout=STOP_SECONDS)
    return any(b"EXISTS" in line for line in said)


def _ring(trigger_id: UUID) -> None:
    try:
        sources.look_now(trigger_id)
    finally:
        connections.close_all()
