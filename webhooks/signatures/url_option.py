"""The option of schemes that sign the address: what it is when a proxy in front of this server writes it anew."""

from __future__ import annotations

from typing import Any

from webhooks.signatures.contract import Attempt, Options

_ADDRESS: dict[str, Any] = {
    "type": "string",
    "title": "Address at the sender",
    "description": "The sender signs the address it was given. Enter it when it is not this webhook's own, since a "
    "proxy in front of this server changes it. With a query it is taken as it is, else the request's is added.",
    "pattern": "^https?://[^ #]+$",
    "maxLength": 2000,
}

URL_OPTIONS: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {"url": _ADDRESS}}


def address_of(options: Options, own: str, query: str) -> str:
    """The address that was signed."""
    if not (options or query):  # most deliveries
        return own
    url = str(options.get("url") or own)
    return url if "?" in url or not query else f"{url}?{query}"


def signed_url(attempt: Attempt) -> bytes:
    """The attempt's address as bytes."""
    return attempt.url.encode(errors="replace")
