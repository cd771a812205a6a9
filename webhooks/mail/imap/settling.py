"""Tell a mailbox which mails were taken: mark them as read, move them or delete them, as the trigger says."""

from __future__ import annotations

from collections.abc import Sequence

from automation.triggers.contract import Item, Poll
from brainops.core import logs
from webhooks.mail.imap.connection import LONGEST_SPARE_BYTES, opened
from webhooks.mail.imap.folder import Folder, open_folder
from webhooks.mail.imap.settings import account

AT_ONCE = 100

log = logs.get_logger(__name__)


def settle(poll: Poll, items: Sequence[Item]) -> None:
    """Settle mails that started a run. May come twice: what is gone already is left out. Raises SourceError."""
    mailbox = poll.trigger.config["mailbox"]
    with opened(account(mailbox, poll.secret), largest=LONGEST_SPARE_BYTES) as connected:
        folder = open_folder(connected, mailbox["folder"], is_readonly=False)
        uids = [item.handle["uid"] for item in items if item.handle["uidvalidity"] == folder.uidvalidity]
        if len(uids) < len(items):
            # numbered anew since: nobody knows any more which mails these were
            log.warning("mails_not_settled", trigger_id=str(poll.trigger.id), count=len(items) - len(uids))
        for start in range(0, len(uids), AT_ONCE):
            there = folder.present(uids[start : start + AT_ONCE])
            if there:
                _act(folder, there, mailbox["after"], mailbox.get("move_to", ""))


def _act(folder: Folder, uids: Sequence[int], after: str, move_to: str) -> None:
    if after == "seen":
        folder.mark_seen(uids)
    elif after == "delete":
        folder.delete(uids)
    elif after == "move":
        folder.move(uids, move_to)
