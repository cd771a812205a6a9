"""One folder: which mails it has, their heads, a whole mail, and what is done with those that were taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from imap_tools.errors import (
    MailboxCopyError,
    MailboxDeleteError,
    MailboxFetchError,
    MailboxFlagError,
    MailboxMoveError,
)
from imap_tools.utils import check_command_status, encode_folder

from automation.triggers.contract import SourceError
from webhooks.mail.imap.connection import Mailbox

_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_CAME = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_HEADS = "(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER])"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SEEN, _DELETED = r"(\Seen)", r"(\Deleted)"


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail as the folder lists it: its UID, its size in bytes, when it came into the mailbox, and its head."""

    uid: int
    size: int
    came_at: datetime | None
    head: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder. UIDs mean something only together with `uidvalidity` (RFC 3501, 2.3.1.1)."""

    mailbox: Mailbox
    uidvalidity: int
    uidnext: int

    def uids_after(self, uid: int, *, is_unseen: bool, since: datetime | None = None) -> list[int]:
        """The UIDs after one, in order; of mails that came on the day of `since` or later."""
        words = [f"UID {uid + 1}:*"]
        if is_unseen:
            words.append("UNSEEN")
        if since is not None:
            day = (since - timedelta(days=1)).astimezone(UTC)  # days are those of the server, wherever it is
            words.append(f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}")
        found = self.mailbox.uids(" ".join(words), charset=None)
        # "5:*" names the last mail also when its UID is lower (RFC 3501, 6.4.8)
        return sorted({int(one) for one in found if int(one) > uid})

    def listed(self, uids: Sequence[int]) -> list[Listed]:
        """What the folder says about mails, in the order of their UIDs; without those that are gone meanwhile."""
        if not uids:
            return []
        answer = self.mailbox.client.uid("FETCH", _named(uids), _HEADS)
        check_command_status(answer, MailboxFetchError)
        return sorted(_listed(answer[1]), key=lambda one: one.uid)

    def whole(self, uid: int) -> bytes | None:
        """A mail as it is; None when it is gone."""
        answer = self.mailbox.client.uid("FETCH", str(uid), "(UID BODY.PEEK[])")
        check_command_status(answer, MailboxFetchError)
        return next((bytes(one[1]) for one in answer[1] if isinstance(one, tuple) and len(one) > 1), None)

    def mark_seen(self, uids: Sequence[int]) -> None:
        """Mark mails as read."""
        check_command_status(self.mailbox.client.uid("STORE", _named(uids), "+FLAGS", _SEEN), MailboxFlagError)

    def delete(self, uids: Sequence[int]) -> None:
        """Delete mails; only these where the server can (UIDPLUS, RFC 4315), else all that are marked as deleted."""
        client = self.mailbox.client
        check_command_status(client.uid("STORE", _named(uids), "+FLAGS", _DELETED), MailboxDeleteError)
        is_exact = "UIDPLUS" in client.capabilities
        check_command_status(client.uid("EXPUNGE", _named(uids)) if is_exact else client.expunge(), MailboxDeleteError)

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Move mails to another folder: at once where the server can (RFC 6851), else as a copy and a deletion."""
        client = self.mailbox.client
        if "MOVE" in client.capabilities:
            check_command_status(client.uid("MOVE", _named(uids), encode_folder(folder).decode()), MailboxMoveError)
            return
        check_command_status(client.uid("COPY", _named(uids), encode_folder(folder).decode()), MailboxCopyError)
        self.delete(uids)

    def present(self, uids: Sequence[int]) -> list[int]:
        """Those of the UIDs that are still there."""
        return sorted(int(one) for one in self.mailbox.uids(f"UID {_named(uids)}", charset=None))


def open_folder(mailbox: Mailbox, name: str, *, is_readonly: bool) -> Folder:
    """Open a folder. Raises SourceError for a server whose UIDs mean nothing, MailboxFolderSelectError."""
    mailbox.folder.set(name, readonly=is_readonly)
    uidvalidity, uidnext = (_number(mailbox, code) for code in ("UIDVALIDITY", "UIDNEXT"))
    if uidvalidity is None:
        said = f"The folder {name!r} has no UIDVALIDITY: what was read of it could not be known again."
        raise SourceError(said, code="imap_failed")
    if uidnext is None:  # older servers do not say
        uidnext = max((int(uid) for uid in mailbox.uids("ALL", charset=None)), default=0) + 1
    return Folder(mailbox, uidvalidity, uidnext)


def _number(mailbox: Mailbox, code: str) -> int | None:
    """A number that the server said when the folder was opened."""
    _, data = mailbox.client.response(code)
    said = data[-1] if data else None
    return int(said) if said and said.isdigit() else None


def _named(uids: Iterable[int]) -> str:
    return ",".join(str(uid) for uid in uids)


def _listed(data: Sequence[Any]) -> Iterable[Listed]:
    """Each mail is a tuple (what came before its head, the head) and a rest, in which attributes may stand, too."""
    for position, one in enumerate(data):
        before, head = one if isinstance(one, tuple) else (one or b"", b"")
        rest = data[position + 1] if isinstance(one, tuple) and position + 1 < len(data) else b""
        said = before + b" " + (rest if isinstance(rest, bytes) else b"")
        uid, size = _UID.search(said), _SIZE.search(said)
        if uid and size:
            yield Listed(int(uid[1]), int(size[1]), _came_at(said), bytes(head))


def _came_at(said: bytes) -> datetime | None:
    found = _CAME.search(said)
    try:
        return datetime.strptime(found[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z") if found else None
    except ValueError:
        return None
