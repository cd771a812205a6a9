"""Transfers: exports and imports that a worker does. Their files stand in the database, in chunks of one size."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from automation.models import Direction, Transfer, TransferChunk, TransferItem, TransferState
from automation.reading.stream import CHUNK_BYTES, stream_of
from automation.services.replay_people import remember
from automation.store import transfers as store
from brainops.accounts.caller import Caller
from brainops.accounts.models import Workspace
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, TooLarge

Json = Any

UNDER_WAY = (TransferState.QUEUED, TransferState.RUNNING)
UPLOAD_HOURS = 1  # that a file waits for its upload to end, or for somebody to confirm its preview
NEEDED = {Direction.EXPORT: Permission.WORKFLOWS_EXPORT, Direction.IMPORT: Permission.WORKFLOWS_IMPORT}
MOST_FORGOTTEN = 20  # at one sweep


def create(
    caller: Caller,
    direction: Direction,
    form: str,
    options: Mapping[str, Json],
    *,
    total: int = 0,
    state: TransferState = TransferState.QUEUED,
) -> Transfer:
    """Write down what was asked and by whom. Raises Conflict (`too_many_transfers`)."""
    workspace_id = caller.workspace()
    with transaction.atomic():
        _require_room(workspace_id)
        transfer = Transfer.objects.create(
            workspace_id=workspace_id,
            created_by_id=caller.user_id,
            direction=direction,
            format=form,
            options={**options, "by": remember(caller)},
            state=state,
            total=total,
            expires_at=_expiry(UPLOAD_HOURS if state == TransferState.UPLOADING else None),
        )
    transfer.refresh_from_db()
    return transfer


def visible(caller: Caller, direction: Direction) -> QuerySet[Transfer]:
    """The exports or imports of the workspace that the caller may look at: its own, or all with the permission."""
    rows = scoped(Transfer.objects.filter(direction=direction), caller)
    if caller.may(NEEDED[direction]):
        return rows
    caller.require(NEEDED[direction], created_by=caller.user_id)
    return rows.filter(created_by_id=caller.user_id)


def get(caller: Caller, direction: Direction, id_: UUID | str) -> Transfer:
    """One of them. Raises NotFound."""
    return get_scoped(visible(caller, direction), caller, id_)


def items(transfer: Transfer) -> QuerySet[TransferItem]:
    """What an import did with each workflow of its file."""
    return TransferItem.objects.filter(transfer=transfer)


def delete(caller: Caller, direction: Direction, id_: UUID | str) -> None:
    """Delete a transfer with its file; one that is under way stops at its next portion. What it imported stays."""
    with transaction.atomic():
        transfer = get_scoped(visible(caller, direction).select_for_update(), caller, id_)
        known = transfer.id
        transfer.delete()
        record(
            actor=caller,
            workspace_id=transfer.workspace_id,
            action=f"{direction.value}.delete",
            target_kind=direction.value,
            target_id=known,
            summary=f"Deleted an {direction.value} that was {transfer.state}.",
        )


def download(transfer: Transfer) -> Iterator[bytes]:
    """The file of an export, chunk by chunk. Raises Conflict (`not_ready`)."""
    if transfer.state != TransferState.DONE:
        raise Conflict(f"The export is {transfer.state}; its file can be downloaded when it is done.", code="not_ready")
    return _chunks(transfer.id)


def upload(transfer: Transfer, pieces: Iterable[bytes]) -> str:
    """Take in the file of an import; returns its SHA-256. Raises TooLarge, InvalidInput; then nothing stays of it."""
    try:
        return _keep(transfer, pieces)
    except BaseException:
        transfer.delete()
        raise


def release(transfer: Transfer) -> Transfer:
    """Have an uploaded import worked on. Raises Conflict (`too_many_transfers`): others were uploaded meanwhile."""
    with transaction.atomic():
        _require_room(transfer.workspace_id)
        Transfer.objects.filter(id=transfer.id).update(state=TransferState.QUEUED, expires_at=_expiry())
    transfer.refresh_from_db()
    return transfer


def open_file(transfer: Transfer) -> io.BufferedReader:
    """The file of an import, to be read from any place."""
    return stream_of(transfer.size, lambda seq: _chunk(transfer.id, seq))


def forget_expired() -> int:
    """Delete what has expired (for the minute's sweep); returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        return store.forget(cursor, most=MOST_FORGOTTEN)


def _require_room(workspace_id: UUID) -> None:
    Workspace.objects.select_for_update(no_key=True).get(id=workspace_id)  # so that the count is right
    most = settings.BRAINOPS_LIMITS["transfers"]
    if Transfer.objects.filter(workspace_id=workspace_id, state__in=UNDER_WAY).count() >= most:
        said = f"{most} exports and imports of this workspace are under way, the most at once. Try again later."
        raise Conflict(said, code="too_many_transfers", retry_after_seconds=30)


def _expiry(hours: int | None = None) -> datetime:
    return clock.now() + timedelta(hours=hours or settings.BRAINOPS_LIMITS["transfer_hours"])


def _keep(transfer: Transfer, pieces: Iterable[bytes]) -> str:
    most = settings.BRAINOPS_LIMITS["import_bytes"]
    size, digest = 0, hashlib.sha256()
    for seq, piece in enumerate(_of_one_size(pieces)):
        size += len(piece)
        digest.update(piece)
        if size > most:
            raise TooLarge(f"The file has more than {most:,} bytes.", details={"limit_bytes": most})
        TransferChunk.objects.create(transfer=transfer, seq=seq, data=piece)
    if not size:
        raise InvalidInput("The body is empty. Send the file to import.")
    Transfer.objects.filter(id=transfer.id).update(size=size)
    return digest.hexdigest()


def _chunks(transfer_id: UUID) -> Iterator[bytes]:
    seq = 0
    while True:
        with connection.cursor() as cursor:
            piece = store.chunk(cursor, transfer_id, seq)
        if piece is None:
            return
        yield piece
        seq += 1


def _of_one_size(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, CHUNK_BYTES at a time: so a place in the file is a place in a chunk."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES])
            del held[:CHUNK_BYTES]
    if held:
        yield bytes(held)


def _chunk(transfer_id: UUID, seq: int) -> bytes:
    with connection.cursor() as cursor:
        return store.chunk(cursor, transfer_id, seq) or b""
