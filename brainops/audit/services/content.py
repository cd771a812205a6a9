"""What the keyed hashes of an entry cover, as bytes that can be made again at any time."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from brainops.audit.models import AuditEntry
from brainops.core.crypto import lasting_keys

PURPOSE = "audit"
SYSTEM_CHAIN = "00000000-0000-0000-0000-000000000000"  # entries of no workspace


def keys() -> tuple[bytes, ...]:
    """The keys of the hashes, the writing one first."""
    return lasting_keys(PURPOSE)


def canonical(entry: AuditEntry) -> bytes:
    """The content of an entry: every column that says something, in one fixed order."""
    return json.dumps(
        [
            entry.uid.hex,
            entry.at.isoformat(timespec="microseconds"),
            entry.workspace_id.hex if entry.workspace_id else None,
            entry.actor_kind,
            entry.actor_id.hex if entry.actor_id else None,
            entry.actor_label,
            str(ip_address(entry.ip)) if entry.ip else None,  # one address has several spellings
            entry.request_id,
            entry.action,
            entry.target_kind,
            entry.target_id,
            entry.summary,
            _settled(entry.changes),
        ],
        sort_keys=True,  # jsonb gives keys back in an order of its own
        separators=(",", ":"),
    ).encode()


def mac_of(entry: AuditEntry, key: bytes) -> bytes:
    """The keyed hash that only the application can make: a row written by hand has none that fits."""
    return hmac.digest(key, b"entry:" + canonical(entry), hashlib.sha256)


def seal_of(entry_mac: bytes, key: bytes, *, chain: str, position: int, previous: bytes) -> bytes:
    """The seal of an entry at a position, over the seal before it."""
    text = f"seal:{chain}:{position}:".encode() + previous + entry_mac
    return hmac.digest(key, text, hashlib.sha256)


def is_any(candidate: bytes, made: Callable[[bytes], bytes]) -> bool:
    """True when `candidate` is what one of the keys makes; `made` is a function of a key."""
    return any(hmac.compare_digest(candidate, made(key)) for key in keys())


def _settled(value: Any) -> Any:
    """The value as it comes back from jsonb, where 1e2 is the integer 100 and -0.0 is 0."""
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_settled(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
