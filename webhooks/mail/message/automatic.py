"""Mail that no person wrote: automatic replies, bounces, lists, and what this installation sent itself.

A run that answers a mail must not answer an automatic reply: two machines would write to each other for ever. Sources:
RFC 3834 (Auto-Submitted, null return path), RFC 3462 (reports), [MS-OXCMAIL] 2.2.3.2.14 (X-Auto-Response-Suppress).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from brainops.core.message_ids import is_ours
from webhooks.mail.message.head import Head


class Ignore(StrEnum):
    """Which mails start nothing."""

    AUTOMATIC = "automatic"  # everything that says of itself that a machine sent it
    REPLIES = "replies"  # automatic replies and bounces
    NOTHING = "nothing"  # only what this installation sent itself


_REPLY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Autoreply-From")
_REPORTS = ("delivery-status", "disposition-notification")
_WAY_OUT = f'Set "ignore" to "{Ignore.REPLIES}" to take such mails.'


def why_ignored(head: Head, ignore: str, *, sender: str | None = None) -> str:
    """Why the mail starts nothing, empty when it may. `sender` is the envelope's, "" for a bounce, None if unknown."""
    own = head.message_id
    if own and is_ours(own):
        return "This installation sent it: a run that it starts could send the next one."
    if ignore == Ignore.NOTHING:
        return ""
    reply = next(_reply_signs(head, sender), "")
    if reply:
        return f"It is an automatic reply: {reply}"
    machine = next(_machine_signs(head), "") if ignore == Ignore.AUTOMATIC else ""
    return f"A machine sent it: {machine} {_WAY_OUT}" if machine else ""


def _reply_signs(head: Head, sender: str | None) -> Iterator[str]:
    if sender == "" or head.text("Return-Path") == "<>":
        yield "its return path is empty, as of bounces."
    if _auto_submitted(head) == "auto-replied":
        yield "Auto-Submitted is auto-replied."
    if head.text("Precedence").lower() == "auto_reply":
        yield "Precedence is auto_reply."
    for name in _REPLY_HEADERS:
        if head.has(name):
            yield f"it has the header {name}."
    content_type = head.text("Content-Type").lower()
    if content_type.startswith("multipart/report") and any(report in content_type for report in _REPORTS):
        yield "it is a report about another mail."


def _machine_signs(head: Head) -> Iterator[str]:
    submitted = _auto_submitted(head)
    if submitted not in ("", "no"):
        yield f"Auto-Submitted is {submitted}."
    precedence = head.text("Precedence").lower()
    if precedence in ("bulk", "junk", "list"):
        yield f"Precedence is {precedence}."
    suppress = head.text("X-Auto-Response-Suppress").lower()
    if suppress not in ("", "none"):
        yield "it has the header X-Auto-Response-Suppress."


def _auto_submitted(head: Head) -> str:
    """The keyword without its parameters and comments."""
    return head.text("Auto-Submitted").lower().partition(";")[0].partition("(")[0].strip()[:40]
