"""What a run sees of a mail, as plain JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from webhooks.mail.message.content import Content, Part
from webhooks.mail.message.head import Head

Json = Any
KeepFile = Callable[[str, str, bytes], dict[str, Json]]


def facts_of_head(head: Head, *, size: int) -> dict[str, Json]:
    """Everything but the content."""
    senders = head.addresses("From")
    replied = head.ids("In-Reply-To")
    date = head.date
    return {
        "from": senders[0] if senders else None,
        "to": head.addresses("To"),
        "cc": head.addresses("Cc"),
        "reply_to": head.addresses("Reply-To"),
        "subject": head.subject,
        "date": date.isoformat() if date else None,
        "message_id": head.message_id,
        "in_reply_to": replied[0] if replied else None,
        "references": head.ids("References"),
        "headers": head.listed(),
        "size": size,
    }


def facts_of(head: Head, content: Content, *, size: int, keep_file: KeepFile) -> dict[str, Json]:
    """The whole mail; each part beside text and HTML is kept as a file."""
    return facts_of_head(head, size=size) | {
        "text": content.text,
        "html": content.html,
        "is_cut": content.is_cut,
        "attachments": [_kept(part, keep_file) for part in content.parts],
    }


def _kept(part: Part, keep_file: KeepFile) -> dict[str, Json]:
    reference = keep_file(part.name, part.content_type, part.data)
    return {**reference, "content_id": part.content_id} if part.content_id else reference
