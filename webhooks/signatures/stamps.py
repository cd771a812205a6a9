"""What the Standard Webhooks schemes share: id, timestamp and the list of signatures.

Source: standardwebhooks.com specification 1.0.0. The `svix-*` header names of its first users mean the same.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webhooks.signatures.contract import Attempt, Headers, Verdict, refused, verified

FAMILIES = ("webhook", "svix")
PARTS = ("id", "timestamp", "signature")
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
MOST_SIGNATURES = 16  # a sender that rotates has two; more only cost time


@dataclass(frozen=True, slots=True)
class Stamp:
    """The three headers, read. `signatures` holds those of the version asked for, decoded."""

    id: str
    timestamp: int
    signatures: tuple[bytes, ...]

    def content(self, body: bytes) -> bytes:
        """The bytes that are signed."""
        return f"{self.id}.{self.timestamp}.".encode(errors="replace") + body


Matches = Callable[[Stamp], bool]


def judge(attempt: Attempt, version: str, matches: Matches) -> Verdict:
    """Read the stamp, ask `matches` for the signature, then look at the clock.

    The signature comes first: only the genuine sender learns that its clock is wrong.
    """
    read = read_stamp(attempt.headers, version)
    if isinstance(read, Verdict):
        return read
    if not matches(read):
        message = f"No {version} signature was made from this id, timestamp and body with the endpoint's key."
        return refused("signature_wrong", message, delivery_id=read.id)
    return _on_time(read, attempt)


def read_stamp(headers: Headers, version: str) -> Stamp | Verdict:
    """The stamp of `headers`, or why there is none."""
    family = next((name for name in FAMILIES if f"{name}-signature" in headers), FAMILIES[0])
    delivery_id, timestamp, signatures = (headers.get(f"{family}-{part}", "").strip() for part in PARTS)
    for part, value in zip(PARTS, (delivery_id, timestamp, signatures), strict=True):
        if not value:
            code = "signature_missing" if part == "signature" else f"{part}_missing"
            return refused(code, f"Header {family}-{part} is missing.", delivery_id=delivery_id or None)
    if not _SECONDS.fullmatch(timestamp) or timestamp != str(int(timestamp)):
        message = f"Header {family}-timestamp must be whole seconds since 1970, got {timestamp[:40]!r}."
        return refused("timestamp_malformed", message, delivery_id=delivery_id)
    found = decode_signatures(signatures, version)
    if not found:
        message = f'Header {family}-signature holds no "{version},<base64>" entry.'
        return refused("signature_malformed", message, delivery_id=delivery_id)
    return Stamp(delivery_id, int(timestamp), found)


def decode_signatures(header: str, version: str) -> tuple[bytes, ...]:
    """The decoded signatures of one version. Other versions and broken ones are passed over."""
    entries = [entry.partition(",") for entry in header.split(" ")[:MOST_SIGNATURES]]
    decoded = (decode_base64(value) for name, _, value in entries if name == version)
    return tuple(value for value in decoded if value)


def decode_base64(text: str) -> bytes:
    """Standard base64 with padding, strictly: no URL alphabet, no junk, one spelling. Empty when it is not that."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


def event_in_body(_headers: Headers, body: Any) -> str:
    """The specification's payloads name their event in `type`."""
    kind = body.get("type") if isinstance(body, dict) else None
    return kind if isinstance(kind, str) else ""


def _on_time(stamp: Stamp, attempt: Attempt) -> Verdict:
    age = attempt.now - stamp.timestamp
    if abs(age) <= attempt.tolerance_seconds:
        return verified(stamp.id)
    code, word = ("too_old", "behind") if age > 0 else ("too_new", "ahead of")
    message = f"The timestamp is {abs(age):.0f} s {word} our clock; {attempt.tolerance_seconds:.0f} s are allowed."
    return refused(code, message, delivery_id=stamp.id)
