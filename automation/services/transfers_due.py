"""The work on transfers: a thread of a worker takes one, does it portion by portion, and whoever is killed is replaced.

Each portion is one transaction that first looks whether the transfer is still this process' (its fence) and then
writes both what was done and how far it is. So a process that was killed, or slept too long, leaves nothing half.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, connections, transaction
from django.db.models.functions import Now

from automation.models import Direction, Transfer, TransferChunk, TransferItem, TransferState
from automation.services import exports, imports, transfers
from automation.services.exchange.assembling import Assembly
from automation.services.exchange.plans import Options, Plan
from automation.services.exchange.reading import File
from automation.services.exchange.survey import Survey, survey
from automation.services.imports import Outcome
from automation.services.replay_people import who_asked
from automation.store import transfers as store
from brainops.accounts.caller import Caller
from brainops.core.errors import AppError, PermissionDenied

Json = Any

MOST_TRIES = 5  # processes that may die or fail over one transfer
LISTED_IDS = 10_000  # of an import's id mapping that its answer shows; the items have all

log = structlog.get_logger(__name__)


class Lost(Exception):
    """Somebody else has taken the transfer over, or it was deleted."""


class _NotOurTurn(Exception):
    """Another import of the workspace runs."""


@dataclass(slots=True)
class Work:
    """One transfer in the hands of this process."""

    transfer: Transfer
    fence: int

    def hold(self, *, done: int | None = None, total: int | None = None) -> None:
        """Say that this process is alive and how far it is. Raises Lost."""
        with connection.cursor() as cursor:
            seconds = settings.BRAINOPS_DEAD_SECONDS
            if not store.hold(cursor, self.transfer.id, self.fence, hold_seconds=seconds, done=done, total=total):
                raise Lost

    def put_back(self) -> None:
        """Leave it for later; this was no try."""
        later = Now() + timedelta(seconds=settings.BRAINOPS_DEAD_SECONDS)
        rows = Transfer.objects.filter(id=self.transfer.id, fence=self.fence, state=TransferState.RUNNING)
        rows.update(state=TransferState.QUEUED, held_until=later, fence=self.fence - 1)

    def finish(self, state: TransferState, **values: Any) -> None:
        """Write the end, if it is still ours. Only an export that is done has a file that somebody will read."""
        rows = Transfer.objects.filter(id=self.transfer.id, fence=self.fence, state=TransferState.RUNNING)
        with transaction.atomic():
            is_ours = rows.update(state=state, finished_at=Now(), held_until=None, position=None, **values)
            if is_ours and (state is TransferState.FAILED or self.transfer.direction == Direction.IMPORT):
                TransferChunk.objects.filter(transfer=self.transfer).delete()


class Mover:
    """Works on transfers in a thread of its own, so that no timer waits for a file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Begin when there is work and nobody here is on it. Answers 0: it queues no runs."""
        with self._lock:
            is_busy = self._thread is not None and self._thread.is_alive()
            if not is_busy and Transfer.objects.filter(state__in=("queued", "running")).exists():
                self._thread = threading.Thread(target=self._work, name="transfers", daemon=True)
                self._thread.start()
        return 0

    def wait(self) -> None:
        """Wait until the work is done (for tests)."""
        if self._thread is not None:
            self._thread.join()

    @staticmethod
    def _work() -> None:
        try:
            while work_on_next():
                pass
        except Exception:  # the database is away: the next tick begins anew
            log.exception("transfers_failed")
        finally:
            connections.close_all()


mover = Mover()


def work_on_next() -> bool:
    """Take a transfer and do it; False when there is none."""
    with transaction.atomic(), connection.cursor() as cursor:
        taken = store.take(cursor, hold_seconds=settings.BRAINOPS_DEAD_SECONDS)
    if taken is None:
        return False
    transfer_id, fence = taken
    transfer = Transfer.objects.select_related("created_by").get(id=transfer_id)
    work = Work(transfer, fence)
    log.info("transfer_taken", transfer_id=str(transfer_id), direction=transfer.direction, fence=fence)
    try:
        _do(work)
    except _NotOurTurn:
        work.put_back()
    except Lost:
        log.info("transfer_lost", transfer_id=str(transfer_id), fence=fence)
    except AppError as refusal:
        work.finish(TransferState.FAILED, error=_told(refusal))
    except DatabaseError:
        raise
    except Exception:
        log.exception("transfer_broke", transfer_id=str(transfer_id))
        work.finish(TransferState.FAILED, error={"code": "internal_error", "message": AppError.sentence})
    return True


def _do(work: Work) -> None:
    if work.fence > MOST_TRIES:
        said = f"{MOST_TRIES} processes ended over this {work.transfer.direction}. Ask somebody who reads the logs."
        work.finish(TransferState.FAILED, error={"code": "gave_up", "message": said})
        return
    caller = who_asked(work.transfer)
    if caller is None:
        said = f"Who asked for this {work.transfer.direction} may not do it any more."
        raise PermissionDenied(said)
    if work.transfer.direction == Direction.EXPORT:
        _export(work, caller)
    else:
        _import(work, caller)


def _export(work: Work, caller: Caller) -> None:
    transfer = work.transfer
    wanted = exports.Wanted.read(transfer.options, transfer.format)
    rows = exports.select(caller, wanted, is_strict=False)
    saved = transfer.position
    seq = saved["seq"] if saved else 0
    assembly = Assembly.resume(transfer.format, wanted.shape, saved) if saved else None
    while True:
        with transaction.atomic():
            work.hold()
            chunks = _Chunks(transfer.id, seq)
            if assembly is None:
                assembly = Assembly.begin(transfer.format, wanted.shape)
                chunks.add(assembly.start())
            for piece in assembly.portion(rows):
                chunks.add(piece)
            chunks.add(assembly.finish() if assembly.is_over else assembly.flush())
            chunks.flush()
            seq = chunks.seq
            transfer.size += chunks.size
            _save_progress(transfer, assembly, seq)
            if assembly.is_over:
                counts, checksum = assembly.counts, assembly.chain
                work.finish(TransferState.DONE, counts=counts, checksum=checksum, total=counts["workflows"])
                return


def _save_progress(transfer: Transfer, assembly: Assembly, seq: int) -> None:
    Transfer.objects.filter(id=transfer.id).update(
        position={**assembly.saved(), "seq": seq}, done=assembly.counts["workflows"], size=transfer.size
    )


class _Chunks:
    """Writes a stretch of a file as chunks."""

    def __init__(self, transfer_id: UUID, seq: int) -> None:
        self._transfer_id = transfer_id
        self._held = bytearray()
        self.seq = seq
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Take some bytes."""
        self._held += piece
        if len(self._held) >= transfers.CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            TransferChunk.objects.create(transfer_id=self._transfer_id, seq=self.seq, data=bytes(self._held))
            self.seq += 1
            self.size += len(self._held)
            self._held.clear()


def _import(work: Work, caller: Caller) -> None:
    transfer = work.transfer
    options = Options.read(transfer.options)
    imports.require(caller, options)
    file = File(lambda: transfers.open_file(transfer), transfer.format)
    with imports.turn(transfer.workspace_id) as is_ours:
        if not is_ours:
            raise _NotOurTurn
        found = survey(file, transfer.workspace_id, lambda _count: work.hold())
        work.hold(total=len(found.entries))
        outcome = Outcome(options)
        done = set(transfers.items(transfer).values_list("index", flat=True))
        _count_again(transfer, outcome)

        def note(plans: Sequence[Plan]) -> None:
            outcome.add(plans, with_items=False)
            _write_items(transfer, plans)
            work.hold(done=sum(outcome.counts.values()))

        if options.dry_run:
            _rehearse(work, caller, file, found, outcome)
        elif options.all_or_nothing:
            _all_or_nothing(work, caller, file, found, outcome)
        else:
            imports.write(caller, file, options, found, done=note, is_done=done.__contains__)
            outcome.is_applied = True
    _finish_import(work, outcome)


def _rehearse(work: Work, caller: Caller, file: File, found: Survey, outcome: Outcome) -> None:
    TransferItem.objects.filter(transfer=work.transfer).delete()  # of a process that was killed over it
    outcome.counts.clear()
    for plans in imports.plan_only(caller, file, outcome.options, found):
        with transaction.atomic():
            work.hold(done=sum(outcome.counts.values()) + len(plans))
            outcome.add(plans, with_items=False)
            _write_items(work.transfer, plans)


def _all_or_nothing(work: Work, caller: Caller, file: File, found: Survey, outcome: Outcome) -> None:
    """One transaction for the whole file; what it would have done is told when it was rolled back."""
    with suppress(_RolledBack), transaction.atomic():
        work.hold()

        def note(plans: Sequence[Plan]) -> None:
            outcome.add(plans, with_items=False)
            _write_items(work.transfer, plans)

        imports.write(caller, file, outcome.options, found, done=note)
        outcome.is_applied = not imports.is_refused(outcome)
        if not outcome.is_applied:
            raise _RolledBack
    if not outcome.is_applied:
        _rehearse(work, caller, file, found, outcome)
        raise imports.refusal_of(outcome)


class _RolledBack(Exception):
    """All was wanted or nothing, and something cannot be."""


def _finish_import(work: Work, outcome: Outcome) -> None:
    told = outcome.as_json()
    told["ids"] = dict(list(outcome.ids.items())[:LISTED_IDS])
    work.finish(TransferState.DONE, counts=told, done=sum(outcome.counts.values()))


def _write_items(transfer: Transfer, plans: Sequence[Plan]) -> None:
    """The reports. Secrets of new webhooks are not among them: nobody is there to see them once."""
    TransferItem.objects.bulk_create(
        TransferItem(transfer=transfer, index=plan.entry.index, action=plan.action.value, report=plan.report())
        for plan in plans
    )


def _count_again(transfer: Transfer, outcome: Outcome) -> None:
    """Count what an earlier process did."""
    for item in transfers.items(transfer).iterator():
        outcome.counts[item.action] += 1
        for sort, names in item.report["missing"].items():
            outcome.missing.setdefault(sort, {}).update(dict.fromkeys(names))
        if item.report["key"] is not None and item.report["workflow_id"] is not None:
            outcome.ids[item.report["key"]] = item.report["workflow_id"]


def _told(refusal: AppError) -> dict[str, Json]:
    problems = [{"code": one.code, "message": one.message, "pointer": one.pointer} for one in refusal.problems[:100]]
    return {"code": refusal.code, "message": refusal.message, "problems": problems, **refusal.details}
