"""target_of: the other side of an effect, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Any
LONGEST = 300
# The fields that name the other side, whoever declares them, the most telling first.
NAMES = (
    *("url", "channel", "to", "recipient", "recipients", "workflow", "topic", "queue", "bucket", "table", "collection"),
    *("key", "path", "address", "name", "title", "id"),
)


def target_of(config: Mapping[str, Json]) -> str | None:
    """`POST https://…`, `#orders`, `ada@example.com, bob@example.com`; None when nothing tells."""
    for name in NAMES:
        value = config.get(name)
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            value = ", ".join(value)
        if isinstance(value, str) and value:
            method = config.get("method")
            text = f"{method} {value}" if name == "url" and isinstance(method, str) else value
            return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return None
