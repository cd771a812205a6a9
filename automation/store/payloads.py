"""Payloads: values too large for a row stand beside it, compressed and checksummed; the row keeps their beginning.

A row's reference (`output_ref`, `input_ref`) is the SHA-256 of the value's JSON text. Where it is null, the row holds
the value itself; where it is not, the row holds a preview, whatever the value looks like.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from automation.engine.containers import BATCH
from automation.store.connection import Connection
from brainops.core import json_gate
from brainops.core.errors import MalformedJson

Json = Any

PREVIEW_CHARACTERS = 2048
ITEM_BYTES = 512  # an item's output larger than this is shown by its beginning, once its batch is large
ITEM_PREVIEW_CHARACTERS = 128
CODEC = "zlib"
FAST = 1  # zlib's level: 11 MB of JSON take 65 ms and come out at 23 %; level 6 takes 140 ms for 21 %

LOAD = "select run_id, sha256, size, codec, data from automation_payload where run_id = any(%s) and sha256 = any(%s)"

READ = """
select p.run_id, p.sha256, p.size, p.codec, p.data from automation_payload p
join automation_run r on r.id = p.run_id
where r.uid = %s and r.workspace_id = %s and p.sha256 = %s
"""

# A row that was not final may have been written again with another value: what it pointed to before is nobody's now.
FORGET_STALE = """
delete from automation_payload p where p.run_id = any(%s)
  and not exists (select from automation_steprun s where s.run_id = p.run_id and s.output_ref = p.sha256)
  and not exists (
    select from automation_rundata d where d.run_id = p.run_id and p.sha256 in (d.input_ref, d.output_ref))
"""


class BrokenPayload(Exception):
    """A payload that is missing, or no longer what its checksum says."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A value on its way into the table. `size` is of its JSON text in bytes; `data` is compressed."""

    sha256: str
    size: int
    data: bytes


class Texts:
    """The values of one checkpoint as their columns take them: JSON texts, references, and what these refer to.

    `values` are `(kind, value)` of the steps' outputs and, as the last one, of the run's output; `refs` are the
    checksums of the large ones by their place. Raises TypeError, ValueError for what is no JSON. A null is None: a SQL
    null is smaller and reads the same. The answer (`response`) stays whole, it goes out once.
    """

    __slots__ = ("payloads", "refs", "response", "size", "values")

    def __init__(self, values: Sequence[tuple[str, Json]], response: Json = None) -> None:
        self.values: list[str | None] = []
        self.refs: dict[int, str] = {}
        self.payloads: dict[str, Payload] = {}
        self.size = 0  # bytes of all texts, compressed where they are
        inline = settings.BRAINOPS_INLINE_BYTES
        for kind, value in values:  # the hot path: no calls for what is small
            raw = None if value is None else orjson.dumps(value)
            if raw is None or len(raw) <= inline:
                self.size += len(raw or b"")
                self.values.append(None if raw is None else raw.decode())
            else:
                self._add_large(raw, value, kind)
        self.response = None if response is None else orjson.dumps(response).decode()
        self.size += len(self.response or "")

    def _add_large(self, raw: bytes, value: Json, kind: str) -> None:
        payload = packed(raw)
        shown = batch_preview(value, len(raw)) if kind == BATCH else preview(raw)
        self.refs[len(self.values)] = payload.sha256
        self.values.append(orjson.dumps(shown).decode())
        self.payloads[payload.sha256] = payload
        self.size += len(payload.data)


def packed(raw: bytes) -> Payload:
    """The payload of a JSON text. Raises ValueError for what no column could hold either (NUL)."""
    try:
        json_gate.refuse_nul(raw)
    except MalformedJson as error:
        raise ValueError(error.message) from error
    return Payload(hashlib.sha256(raw).hexdigest(), len(raw), zlib.compress(raw, FAST))


def unpacked(row: tuple[Any, ...]) -> bytes:
    """The JSON text of a stored row (run id, sha256, size, codec, data). Raises BrokenPayload."""
    _run_id, sha256, size, codec, data = row
    if codec != CODEC:
        raise BrokenPayload(f"Payload {sha256} is packed as {codec!r}, which this release does not know.")
    try:
        raw = zlib.decompress(data)
    except zlib.error as error:
        raise BrokenPayload(_damaged(sha256, f"it does not decompress ({error})")) from error
    if len(raw) != size or hashlib.sha256(raw).hexdigest() != sha256:
        raise BrokenPayload(_damaged(sha256, f"its {len(raw):,} bytes have another checksum than when they were kept"))
    return raw


def preview(raw: bytes, characters: int = PREVIEW_CHARACTERS) -> Json:
    """What a row shows of a large value."""
    start = raw[: characters * 4].decode(errors="ignore")[:characters]
    return {"preview": start, "size": len(raw), "truncated": True}


def batch_preview(batch: Json, size: int) -> Json:
    """What the row of a batch shows of its items: all but their large outputs, so that lists of items stay whole."""
    return {"items": [_item_preview(item) for item in batch["items"]], "size": size, "truncated": True}


def _item_preview(item: dict[str, Json]) -> dict[str, Json]:
    shown = dict(item)
    if "output" in item:
        raw = orjson.dumps(item["output"])
        if len(raw) > ITEM_BYTES:
            shown["output"] = preview(raw, ITEM_PREVIEW_CHARACTERS)
    if isinstance(item.get("steps"), list):
        shown["steps"] = [_item_preview(step) for step in item["steps"]]
    return shown


def load_payloads(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Json]:
    """The values of some payloads by (run id, sha256); in place of one that cannot be read, a BrokenPayload."""
    keys = set(wanted)
    if not keys:
        return {}
    rows = connection.rows(LOAD, ([run_id for run_id, _ in keys], [sha256 for _, sha256 in keys]))
    found = {(row[0], row[1]): _value(row) for row in rows if (row[0], row[1]) in keys}
    return {key: found.get(key, BrokenPayload(_missing(key[1]))) for key in keys}


def whole(cursor: Any, run_id: int, value: Json, ref: str | None) -> Json:
    """A value as it was kept: what its row holds, or the payload that the row refers to. Raises BrokenPayload."""
    if ref is None:
        return value
    cursor.execute(LOAD, ([run_id], [ref]))
    row = cursor.fetchone()
    if row is None:
        raise BrokenPayload(_missing(ref))
    return orjson.loads(unpacked(row))


def read_payload(cursor: Any, uid: UUID, sha256: str, *, workspace_id: UUID) -> bytes | None:
    """The JSON text of a payload of a workspace's run; None when there is none. Raises BrokenPayload."""
    cursor.execute(READ, (uid, workspace_id, sha256))
    row = cursor.fetchone()
    return unpacked(row) if row else None


def _value(row: tuple[Any, ...]) -> Json:
    try:
        return orjson.loads(unpacked(row))
    except BrokenPayload as broken:
        return broken


def _damaged(sha256: str, how: str) -> str:
    return f"Payload {sha256} is damaged: {how}. Restore automation_payload from a backup, or retry from the start."


def _missing(sha256: str) -> str:
    return f"Payload {sha256} is missing. Restore automation_payload from a backup, or retry the run from the start."
