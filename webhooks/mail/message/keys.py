"""The key of a mail: the same mail shown twice starts one run."""

from __future__ import annotations

import hashlib
import re

from webhooks.mail.message.head import Head

LONGEST_KEY = 250
_NAMING = ("From", "To", "Cc", "Subject", "Date", "Content-Type")


def key_of_head(head: Head) -> str | None:
    """The Message-ID, hashed when it is long; None for a mail without one, which `key_of` tells by its content."""
    message_id = head.message_id
    if not message_id:
        return None
    if len(message_id) <= LONGEST_KEY and message_id.isprintable():
        return message_id
    return f"id-sha256:{hashlib.sha256(message_id.encode()).hexdigest()}"


def key_of(head: Head, raw: bytes) -> str:
    """The Message-ID, or what the mail is: who, to whom, what about, when, and its body.

    Not the headers that servers add on the way, which differ when it is sent again.
    """
    known = key_of_head(head)
    if known:
        return known
    end = re.search(rb"\r?\n\r?\n", raw)
    digest = hashlib.sha256("\n".join(f"{name}:{head.text(name)}" for name in _NAMING).encode())
    digest.update(raw[end.end() :] if end else b"")
    return f"sha256:{digest.hexdigest()}"
