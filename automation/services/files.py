"""Files: what comes in as bytes is kept in the database, and runs carry a reference to it.

`{"$file": "<id>", "name": …, "content_type": …, "size": …, "sha256": …}` is a reference. A run whose input holds one
takes hold of the file in the statement that inserts the run; the file goes with its last run. One that no run has taken
goes after a day. Nothing here is ever a path: a name is only shown.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction

from automation.engine.wording import quoted
from automation.reading.stream import CHUNK_BYTES, stream_of
from automation.services import quotas
from automation.store import files as store
from automation.store.files import Found
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.core.errors import NotFound, TooLarge

Json = Any

UNUSED_SECONDS = 86_400.0  # that a file waits for a run
MOST_FORGOTTEN = 50  # at one sweep
LONGEST_NAME = 255
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
_UNNAMED = "file"
_NO_TYPE = "application/octet-stream"


def keep(workspace_id: UUID, name: str, content_type: str, data: bytes | BinaryIO) -> dict[str, Json]:
    """Keep a file and return the reference to it. All or nothing, also inside a transaction of the caller.

    `data` is local and can seek: a transaction is open while it is read, twice. The same file again, while no run has
    taken it, is the one that is there: a source that is asked again and again fills no disk. Raises TooLarge and
    QuotaExceeded.
    """
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    with transaction.atomic(), connection.cursor() as cursor:
        file = _measured(Found(uuid4(), clean_name(name), clean_type(content_type), 0, ""), source)
        kept = store.take_unused(cursor, workspace_id, file, seconds=UNUSED_SECONDS)
        if kept is None:
            _write(cursor, workspace_id, file, source)
    return (kept or file).reference


def find(workspace_id: UUID, reference: Mapping[str, Json]) -> Found:
    """The file that a reference names, as it is stored. Raises NotFound."""
    try:
        file_id = UUID(reference[store.REFERENCE])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotFound('A reference to a file is {"$file": "<id>"}.') from error
    with connection.cursor() as cursor:
        found = store.find(cursor, workspace_id, file_id)
    if found is None:
        raise NotFound(f"The file {file_id} is gone, or belongs to another workspace.")
    return found


def open_file(workspace_id: UUID, reference: Mapping[str, Json]) -> io.BufferedReader:
    """The bytes of a file, to be read from any place; memory holds a piece at a time. Raises NotFound."""
    found = find(workspace_id, reference)
    return stream_of(found.size, lambda seq: _chunk(found.id, seq))


def read(caller: Caller, file_id: UUID) -> Found:
    """A file of the caller's workspace. Raises NotFound."""
    caller.require(Permission.RUNS_READ)
    with connection.cursor() as cursor:
        found = store.find(cursor, caller.workspace(), file_id)
    if found is None:
        raise NotFound
    return found


def content(file: Found) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    seq = 0
    while piece := _chunk(file.id, seq):
        yield piece
        seq += 1


def forget_expired() -> int:
    """Delete files that no run refers to any more (for the minute's sweep); returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        return store.forget(cursor, most=MOST_FORGOTTEN)


def clean_name(name: str) -> str:
    """A name that is only a name: its last part, printable, at most 255 characters with its ending kept."""
    last = re.split(r"[/\\]", name.encode("utf-8", "replace").decode("utf-8", "replace"))[-1]
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in last).strip()
    if shown in ("", ".", ".."):
        return _UNNAMED
    stem, dot, ending = shown.rpartition(".")
    if len(shown) <= LONGEST_NAME or not dot or len(ending) > 20:
        return shown[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"


def clean_type(content_type: str) -> str:
    """The media type without parameters; application/octet-stream for what is none."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) else _NO_TYPE


def _measured(file: Found, source: BinaryIO) -> Found:
    """The file with its size and checksum. Raises TooLarge."""
    start = source.tell()
    digest, size = hashlib.sha256(), 0
    while piece := source.read(CHUNK_BYTES):
        size += len(piece)
        _require_size(file.name, size)
        digest.update(piece)
    source.seek(start)
    return file._replace(size=size, sha256=digest.hexdigest())


def _write(cursor: Any, workspace_id: UUID, file: Found, source: BinaryIO) -> None:
    _require_room(cursor, workspace_id, file.size)
    store.add_chunks(cursor, file.id, _of_one_size(source))
    store.insert(cursor, workspace_id, file, seconds=UNUSED_SECONDS)


def _of_one_size(source: BinaryIO) -> Iterator[bytes]:
    """The bytes in pieces of CHUNK_BYTES: so a place in the file is a place in a piece."""
    held = bytearray()
    while piece := source.read(CHUNK_BYTES - len(held)):
        held += piece
        if len(held) == CHUNK_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _require_size(name: str, size: int) -> None:
    most = settings.BRAINOPS_LIMITS["file_bytes"]
    if size > most:
        said = f"The file {quoted(name)} has more than {most:,} bytes, the most that is kept of one file."
        raise TooLarge(f"{said} An operator can raise BRAINOPS_LIMIT_FILE_BYTES.", details={"limit_bytes": most})


def _require_room(cursor: Any, workspace_id: UUID, size: int) -> None:
    """Refuse what goes beyond the storage: as it was at the last look, and the files since."""
    own = quotas.remembered.get(workspace_id)
    limit = quotas.limit_of(own, "storage_bytes")
    if limit is None:
        return
    used = (own.used_bytes or 0) + store.size_since(cursor, workspace_id, own.measured_at)
    quotas.require_bytes(used, size, limit)


def _chunk(file_id: UUID, seq: int) -> bytes:
    with connection.cursor() as cursor:
        return store.chunk(cursor, file_id, seq) or b""
