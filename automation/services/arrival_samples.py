"""What the ledger of arrivals keeps of a thing: JSON that the database can hold, whole when it is small."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import orjson
from django.conf import settings

from automation.store.payloads import preview
from automation.triggers.contract import Item
from brainops.core import json_gate
from brainops.core.errors import MalformedJson, TooLarge

Json = Any

SAMPLE_BYTES = 64 << 10
MEMBER_BYTES = 4 << 10  # of a member of a larger thing that is kept whole


@dataclass(frozen=True, slots=True)
class Sample:
    """A JSON text. `is_cut`: large members are shown by their beginning."""

    text: str | None
    is_cut: bool = False


def storable(item: Item) -> Item:
    """The item with data that PostgreSQL can hold: U+FFFD stands for what no JSON text may have (NUL, surrogates).

    Raises TooLarge.
    """
    data = plain(item.data)
    most = settings.BRAINOPS_LIMITS["value_bytes"]
    size = len(orjson.dumps(data))
    if size > most:
        said = f"It has {size:,} bytes as JSON; {most:,} are taken (BRAINOPS_LIMIT_VALUE_BYTES)."
        raise TooLarge(said, details={"limit_bytes": most})
    return replace(item, data=data)


def plain(value: Json) -> Json:
    """The value as it can be stored; the same object when nothing had to be changed."""
    try:
        json_gate.encode(value)
    except MalformedJson:
        return orjson.loads(orjson.dumps(_cleaned(value)))
    return value


def sample_of(data: Json) -> Sample:
    """What people are shown later, SAMPLE_BYTES at most."""
    if data is None:
        return Sample(None)
    raw = orjson.dumps(plain(data))
    if len(raw) <= SAMPLE_BYTES:
        return Sample(raw.decode())
    if isinstance(data, dict):
        members = {name: _shown(member) for name, member in plain(data).items()}
        if len(cut := orjson.dumps(members)) <= SAMPLE_BYTES:
            return Sample(cut.decode(), is_cut=True)
    return Sample(orjson.dumps(preview(raw)).decode(), is_cut=True)


def _shown(member: Json) -> Json:
    raw = orjson.dumps(member)
    return member if len(raw) <= MEMBER_BYTES else preview(raw)


def _cleaned(value: Json) -> Json:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(str(name)): _cleaned(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(member) for member in value]
    if value is None or isinstance(value, bool | float):
        return value
    return value if isinstance(value, int) and abs(value) < 1 << 63 else _text(str(value))


def _text(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
