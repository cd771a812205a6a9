"""Look at a mailbox: find the mails that came since the last look, and read those that the trigger wants.

The cursor is UIDVALIDITY and the last UID. When the server numbers the folder anew, the mails of the last day and all
later ones are read again, and what the ledger knows by its key is left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.db import connections

from automation.models import Source
from automation.triggers.contract import First, Item, Poll, Polled
from webhooks.mail.imap.connection import LONGEST_SPARE_BYTES, SESSION_SECONDS, opened
from webhooks.mail.imap.cursor import Cursor, read_cursor
from webhooks.mail.imap.folder import Folder, Listed, open_folder
from webhooks.mail.imap.reading import Reading
from webhooks.mail.imap.settings import account

HEADS_AT_ONCE = 50
LOOK_SECONDS = 60.0  # after which a look ends with what it has
LOOK_BYTES = 64 << 20  # of mails, in one look


def look(poll: Poll) -> Polled:
    """Look once. Raises SourceError."""
    config = poll.trigger.config
    mailbox = config["mailbox"]
    owner = account(mailbox, poll.secret)
    with opened(owner, largest=config["max_bytes"] + LONGEST_SPARE_BYTES, seconds=SESSION_SECONDS) as connected:
        folder = open_folder(connected, mailbox["folder"], is_readonly=True)
        if poll.cursor is not None:
            start = read_cursor(poll.cursor).in_folder(folder.uidvalidity)
        elif mailbox["first"] == First.SKIP:
            return Polled((), _end_of(folder).to_json())
        else:
            start = Cursor(folder.uidvalidity, 0)
        return _read(poll, folder, start)


def _end_of(folder: Folder) -> Cursor:
    """After everything that is there now."""
    last = folder.listed(folder.uids_after(0, is_unseen=False)[-1:])
    came_at = last[0].came_at if last else None
    return Cursor(folder.uidvalidity, folder.uidnext - 1, newest=came_at, since=came_at)


def _read(poll: Poll, folder: Folder, cursor: Cursor) -> Polled:
    """As many mails as one look takes, oldest first; a single one while there is no room for what was found."""
    most = 1 if _waits(poll) else poll.most  # each look keeps the files of what it shows once more
    is_unseen = poll.trigger.config["mailbox"]["unseen"]
    uids = folder.uids_after(cursor.uid, is_unseen=is_unseen, since=cursor.horizon)
    reading = Reading(poll, folder)
    items: list[Item] = []
    ends_at, size = time.monotonic() + LOOK_SECONDS, 0
    for listed in _in_turn(folder, uids, reading):
        if len(items) >= most or size > LOOK_BYTES or time.monotonic() > ends_at:
            return Polled(items, cursor.to_json(), has_more=True)
        if not cursor.is_behind(listed.came_at) and (item := reading.item(listed)):
            items.append(item)
            size += listed.size
        cursor = cursor.past(listed.uid, listed.came_at)
    done = replace(cursor, uid=max(cursor.uid, *uids[-1:], 0), horizon=None)
    return Polled(items, done.to_json())


def _waits(poll: Poll) -> bool:
    """True when mails of the last look could not be taken: a limit or a quota is full."""
    waits_for = Source.objects.filter(trigger_id=poll.trigger.id).values_list("waits_for", flat=True).first()
    connections.close_all()
    return bool(waits_for)


def _in_turn(folder: Folder, uids: Sequence[int], reading: Reading) -> Iterator[Listed]:
    """The mails as the folder lists them, some at a time; `reading` gets to know which of those were taken before."""
    for start in range(0, len(uids), HEADS_AT_ONCE):
        some = folder.listed(uids[start : start + HEADS_AT_ONCE])
        reading.get_to_know(some)
        yield from some
