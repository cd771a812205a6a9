"""The head of a mail: who, to whom, about what, as Python's `email` package decodes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

from webhooks.mail.message.bounded import parse, parsed_header
from webhooks.mail.message.clean import one_line

Json = Any

LONGEST_HEAD_BYTES = 128 << 10
MOST_HEADERS = 1000
MOST_REFERENCES = 100
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")


class Unreadable(Exception):
    """A mail that is not read, and why: a sentence for the ledger."""


@dataclass(frozen=True, slots=True)
class Head:
    """The headers of one mail, lazily read. Names are compared without case; the first of several counts."""

    message: EmailMessage

    def text(self, name: str) -> str:
        """One header on one line, decoded; empty when it is not there."""
        written = self._written(name)
        return "" if written is None else _decoded(name, written)

    def has(self, name: str) -> bool:
        """True when there is such a header."""
        return self._written(name) is not None

    def addresses(self, name: str) -> list[dict[str, str]]:
        """The mailboxes of an address header as `{name, address}`; none when it cannot be read."""
        written = self._written(name)
        if written is None:
            return []
        found = _addresses_in(name, written)
        return [{"name": one_line(shown), "address": one_line(address)} for shown, address in found]

    @property
    def subject(self) -> str | None:
        """The subject, None without one."""
        return self.text("Subject") if self.has("Subject") else None

    @property
    def date(self) -> datetime | None:
        """When it was written, as the sender says; aware or, where the zone is unknown, naive. None when unreadable."""
        written = self._written("Date")
        return None if written is None else getattr(parsed_header("Date", written), "datetime", None)

    @property
    def message_id(self) -> str | None:
        """`<…@…>` as it stands; whatever else a sender wrote there, when it is not that."""
        written = one_line(self._written("Message-ID") or "")
        found = _MESSAGE_ID.search(written)
        return found[0] if found else written[:1000] or None

    def ids(self, name: str) -> list[str]:
        """The message ids of In-Reply-To or References, the oldest first."""
        return _MESSAGE_ID.findall(one_line(self._written(name) or ""))[-MOST_REFERENCES:]

    def listed(self) -> list[dict[str, str]]:
        """Every header in its order, decoded."""
        return [{"name": one_line(name), "value": _decoded(name, written)} for name, written in self._raw()]

    def _written(self, name: str) -> str | None:
        return next((written for found, written in self._raw() if found.lower() == name.lower()), None)

    def _raw(self) -> list[tuple[str, str]]:
        return [(name, str(written)) for name, written in self.message.raw_items()]


def read_head(raw: bytes) -> Head:
    """Read a mail's head; a body after it is left alone. Raises Unreadable."""
    end = re.search(rb"\r?\n\r?\n", raw)
    head = raw[: end.end()] if end else raw
    if len(head) > LONGEST_HEAD_BYTES:
        raise Unreadable(f"Its headers have {len(head):,} bytes; at most {LONGEST_HEAD_BYTES:,} are read.")
    if head.count(b"\n") > MOST_HEADERS:
        raise Unreadable(f"Its headers have more than {MOST_HEADERS:,} lines.")
    return Head(parse(head))


def _addresses_in(name: str, written: str) -> list[tuple[str, str]]:
    """The names and addresses of a header; as `email` finds them in a header that it cannot read or that is long."""
    for read in (_strictly, _loosely):
        try:
            return read(name, written)
        except Exception:  # noqa: BLE001, S112  # they break in many ways on what is no address
            continue
    return []


def _strictly(name: str, written: str) -> list[tuple[str, str]]:
    return [(one.display_name, one.addr_spec) for one in parsed_header(name, written).addresses]


def _loosely(_name: str, written: str) -> list[tuple[str, str]]:
    return getaddresses([one_line(written)])


def _decoded(name: str, written: str) -> str:
    parsed = parsed_header(name, written)
    return one_line(written if parsed is None else str(parsed))
