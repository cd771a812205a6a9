"""Deliveries: a mail that came over SMTP is stored with its runs before it is answered for.

One answer stands for all receivers of a mail (RFC 5321, 4.2). When one of them cannot take it now, the sender is asked
to send all of it again: who has taken it knows it by its key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from automation.services import arrivals, files
from automation.services.arrivals import Arrived
from automation.services.quotas import BEYOND_QUOTA
from automation.store import bell
from automation.store.arrivals import Listening
from automation.triggers.contract import Item
from brainops.core import clock
from brainops.core.errors import TooLarge
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import limiter
from webhooks.mail.message.automatic import why_ignored
from webhooks.mail.message.content import Content, read_content
from webhooks.mail.message.facts import facts_of, facts_of_head
from webhooks.mail.message.head import Head, Unreadable, read_head
from webhooks.mail.message.keys import key_of
from webhooks.mail.message.wanted import has_words, is_from
from webhooks.mail.services.meters import MAILS

Json = Any

BURST_SECONDS = 30  # of the rate of one trigger come at once


class Reply(NamedTuple):
    """What the sender is told: a code of RFC 5321 and one of RFC 3463 with it."""

    code: int
    text: str

    @property
    def line(self) -> str:
        """The line of the dialogue."""
        return f"{self.code} {self.text}"

    @property
    def is_taken(self) -> bool:
        """True when the sender is done with it."""
        return self.code < 300

    @property
    def is_for_later(self) -> bool:
        """True when the sender is to try again."""
        return 400 <= self.code < 500


NO_CONTENT = Content(None, None, ())
TAKEN = Reply(250, "2.0.0 Taken")
REPEATED = Reply(250, "2.0.0 Taken before")
GONE = Reply(550, "5.1.1 There is no such address here")
PAUSED = Reply(450, "4.2.1 This address takes no mail at the moment; try again later")
NOT_FROM_YOU = Reply(550, "5.7.1 This address takes mail of certain senders only, and From names none of them")
TOO_MANY = Reply(451, "4.7.1 Too many mails for this address within a short time; try again later")
FULL = Reply(452, "4.2.2 There is no room for another run now; try again later")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the dialogue said about a mail. `mail_from` is empty for a bounce; nothing of it is proven."""

    mail_from: str
    rcpt_to: str
    client: str
    helo: str
    is_encrypted: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that was read: what of it does not depend on who receives it. `unreadable` says why it was not."""

    raw: bytes
    head: Head
    key: str
    content: Content
    unreadable: str = ""


def deliver(raw: bytes, envelopes: Mapping[UUID, Envelope]) -> Reply:
    """Take a mail for the triggers that it is for. Raises what the database raises: then nothing was taken."""
    try:
        letter = _read(raw)
    except Unreadable as refusal:
        return Reply(554, f"5.6.0 This mail is not read: {refusal}")
    with transaction.atomic(), connection.cursor() as cursor:
        found = arrivals.listening(cursor, list(envelopes))
        replies = [_take(cursor, listening, letter, envelopes[listening.trigger_id]) for listening in found]
    if TAKEN in replies:
        bell.ring()
    for reply in replies:
        MAILS.add(labels=(str(reply.code),))
    return _of_all(replies)


def _read(raw: bytes) -> Letter:
    head = read_head(raw)
    key = key_of(head, raw)
    try:
        return Letter(raw, head, key, read_content(raw))
    except Unreadable as refusal:
        return Letter(raw, head, key, NO_CONTENT, str(refusal))


def _of_all(replies: Sequence[Reply]) -> Reply:
    """Later when one says so, else taken when one has taken it."""
    if not replies:
        return GONE
    later = next((reply for reply in replies if reply.is_for_later), None)
    return later or next((reply for reply in replies if reply.is_taken), replies[0])


def _take(cursor: Any, listening: Listening, letter: Letter, envelope: Envelope) -> Reply:
    """What becomes of a mail at one trigger."""
    config = listening.config
    if config.get("address") is not True:
        return GONE
    if not listening.may_run:
        return PAUSED
    if config["from"] and not is_from(letter.head, config["from"]):
        return NOT_FROM_YOU
    if arrivals.seen(cursor, listening.trigger_id, [letter.key]):
        return REPEATED
    if limiter.take(_bucket(listening)).refused is not None:
        return TOO_MANY
    facts = {"envelope": asdict(envelope)}
    if refusal := _refusal(letter, config, envelope):
        reply, reason = refusal
        item = Item(letter.key, facts_of_head(letter.head, size=len(letter.raw)), clock.now(), refused=reason)
        arrivals.take(cursor, listening, [item], trigger_facts=facts)
        return reply
    return _start(cursor, listening, letter, facts)


def _refusal(letter: Letter, config: Mapping[str, Json], envelope: Envelope) -> tuple[Reply, str] | None:
    """Why a mail starts nothing at a trigger: what its sender is told, and what the ledger says."""
    size, most = len(letter.raw), config["max_bytes"]
    if size > most:
        return Reply(552, f"5.3.4 This address takes {most} bytes at most"), (
            f"It has {size:,} bytes; this trigger takes {most:,} at most. Raise its max_bytes to take more."
        )
    if letter.unreadable:
        return Reply(554, f"5.6.0 This mail is not read: {letter.unreadable}"), letter.unreadable
    words = config["subject_contains"]
    if words and not has_words(letter.head, words):
        return TAKEN, f"Its subject does not hold {words!r}."
    if why := why_ignored(letter.head, config["ignore"], sender=envelope.mail_from):
        return TAKEN, why
    return None


def _start(cursor: Any, listening: Listening, letter: Letter, facts: Mapping[str, Json]) -> Reply:
    """Keep its files and start its run, or leave nothing behind."""

    def keep_file(name: str, content_type: str, data: bytes) -> dict[str, Json]:
        return files.keep(listening.workspace_id, name, content_type, data)

    with transaction.atomic():
        try:
            seen = facts_of(letter.head, letter.content, size=len(letter.raw), keep_file=keep_file)
        except BEYOND_QUOTA as error:
            return Reply(452, f"4.2.2 {_one_line(error.message)}")
        except TooLarge as error:
            return Reply(552, f"5.3.4 {_one_line(error.message)}")
        (arrived,) = arrivals.take(cursor, listening, [Item(letter.key, seen, clock.now())], trigger_facts=dict(facts))
        if arrived.waits or not arrived.is_new:
            transaction.set_rollback(True)  # the files too: the mail comes again, or came a moment before
        return _reply_to(arrived)


def _reply_to(arrived: Arrived) -> Reply:
    if arrived.waits:
        return Reply(FULL.code, f"4.2.2 {_one_line(arrived.reason)}") if arrived.reason else FULL
    return TAKEN if arrived.is_new else REPEATED


def _one_line(text: str) -> str:
    """What people are told, as one line of an SMTP dialogue: ASCII and short (RFC 5321, 4.5.3.1.5)."""
    return " ".join(text.split()).encode("ascii", "replace").decode()[:400]


def _bucket(listening: Listening) -> Bucket:
    per_second = settings.BRAINOPS_INBOUND_MAIL["per_second"]
    owner = f"{listening.workspace_id}:{listening.trigger_id}"
    return Bucket("mails", owner, per_second, max(1, round(per_second * BURST_SECONDS)))
