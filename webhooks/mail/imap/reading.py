"""Make items of the mails of a folder: one that a trigger wants, or one that says why it starts nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from imap_tools.errors import MailboxFetchError

from automation.triggers.contract import Item, Poll, SourceError
from brainops.core.errors import TooLarge
from webhooks.mail.imap.folder import Folder, Listed
from webhooks.mail.message.automatic import why_ignored
from webhooks.mail.message.content import read_content
from webhooks.mail.message.facts import facts_of, facts_of_head
from webhooks.mail.message.head import Head, Unreadable, read_head
from webhooks.mail.message.keys import key_of, key_of_head
from webhooks.mail.message.wanted import has_words, is_from


class Reading:
    """Reads mails for one look. Only heads of what the trigger does not want; whole mails of what it does."""

    def __init__(self, poll: Poll, folder: Folder) -> None:
        self._poll = poll
        self._folder = folder
        self._config = poll.trigger.config
        self._known: set[str] = set()

    def get_to_know(self, some: Sequence[Listed]) -> None:
        """Ask once which of these mails were taken before."""
        self._known = self._poll.seen([key for listed in some if (key := _key_in(listed))])

    def item(self, listed: Listed) -> Item | None:
        """The item of a mail; None for one that is not wanted, was taken before or is gone."""
        try:
            head = read_head(listed.head)
        except Unreadable as refusal:
            return Item(_head_key(listed), {"size": listed.size}, listed.came_at, refused=str(refusal))
        if not self._is_wanted(head):
            return None
        key = key_of_head(head)
        if key in self._known:
            return None
        if refused := why_ignored(head, self._config["ignore"]) or self._too_large(listed):
            return self._refused(listed, head, refused)
        try:
            raw = self._folder.whole(listed.uid)
        except MailboxFetchError as error:  # else this one mail would hold up all others
            return self._refused(listed, head, f"The server does not give it: {error.command_result[1]!r:.200}.")
        if raw is None:
            return None
        return self._read(listed, head, raw)

    def _read(self, listed: Listed, head: Head, raw: bytes) -> Item | None:
        key = key_of(head, raw)
        if key_of_head(head) is None and self._poll.seen([key]):
            return None
        try:
            facts = facts_of(head, read_content(raw), size=len(raw), keep_file=self._poll.keep_file)
        except Unreadable as refusal:
            return self._refused(listed, head, str(refusal))
        except SourceError as error:
            if error.code != TooLarge.code:
                raise
            return self._refused(listed, head, error.message)
        return Item(key, facts, _moment(listed, head), self._handle(listed))

    def _is_wanted(self, head: Head) -> bool:
        senders, words = self._config["from"], self._config["subject_contains"]
        return (not senders or is_from(head, senders)) and (not words or has_words(head, words))

    def _too_large(self, listed: Listed) -> str:
        most = self._config["max_bytes"]
        if listed.size <= most:
            return ""
        return f"It has {listed.size:,} bytes; this trigger takes {most:,} at most. Raise its max_bytes to take more."

    def _refused(self, listed: Listed, head: Head, refused: str) -> Item:
        facts = facts_of_head(head, size=listed.size)
        key = key_of_head(head) or _head_key(listed)
        return Item(key, facts, _moment(listed, head), refused=refused)

    def _handle(self, listed: Listed) -> dict[str, int] | None:
        if self._config["mailbox"]["after"] == "nothing":
            return None
        return {"uidvalidity": self._folder.uidvalidity, "uid": listed.uid}


def _key_in(listed: Listed) -> str | None:
    try:
        return key_of_head(read_head(listed.head))
    except Unreadable:
        return _head_key(listed)


def _head_key(listed: Listed) -> str:
    """The key of a mail without a Message-ID of which only the head was fetched."""
    return f"head-sha256:{hashlib.sha256(listed.head).hexdigest()}"


def _moment(listed: Listed, head: Head) -> datetime | None:
    """When the mailbox got it, else when it was written, as far as that is a moment."""
    written = head.date
    return listed.came_at or (written if written and written.tzinfo else None)
