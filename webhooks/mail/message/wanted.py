"""Which mails a trigger wants: by sender, by words of the subject."""

from __future__ import annotations

from collections.abc import Sequence

from webhooks.mail.message.head import Head


def is_from(head: Head, senders: Sequence[str]) -> bool:
    """True when a From address is one of these, or of one of these domains (`@example.com`). Nobody proved it."""
    known = [sender.lower() for sender in senders]
    found = [address["address"].lower() for address in head.addresses("From")]
    return any(_is_named(address, known) for address in found)


def _is_named(address: str, known: Sequence[str]) -> bool:
    return address in known or f"@{address.rpartition('@')[2]}" in known


def has_words(head: Head, words: str) -> bool:
    """True when the subject holds the words, without regard to case."""
    return words.casefold() in (head.subject or "").casefold()
