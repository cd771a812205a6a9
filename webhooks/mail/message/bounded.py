"""Python's reading of mails, with bounds: its header parser takes time that grows with the square of a header."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import lru_cache
from typing import Any, cast

LONGEST_HEADER = 8 << 10  # characters that are parsed; a longer one stands as it is written
LONGEST_CONTENT_HEADER = 3 << 10  # of those that each of many parts has
LONGEST_UNPARSED = 2 << 10  # of it, where the parser itself asks (the parameters of a content type)
_REMEMBERED = 256  # headers; each is asked for many times while a mail is read


class BoundedPolicy(EmailPolicy):
    """`email.policy.default`, except that it never breaks and never takes long."""

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        """The header as `email` reads it; as written, cut, when it is long or cannot be read."""
        parsed = parsed_header(name, str(value))
        return value[:LONGEST_UNPARSED] if parsed is None else parsed


_PLAIN = EmailPolicy()
_BOUNDED = BoundedPolicy()


@lru_cache(maxsize=_REMEMBERED)
def parsed_header(name: str, value: str) -> Any:
    """A header as `email` reads it, None when it does not."""
    if len(value) > (LONGEST_CONTENT_HEADER if name.lower().startswith("content-") else LONGEST_HEADER):
        return None
    try:
        return _PLAIN.header_fetch_parse(name, value)
    except Exception:  # noqa: BLE001  # IndexError, RecursionError and others, on what is no such header
        return None


def parse(raw: bytes) -> EmailMessage:
    """A mail; whatever the bytes are, it finds something."""
    return cast(EmailMessage, message_from_bytes(raw, policy=_BOUNDED))
