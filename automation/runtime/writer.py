"""Writer: one thread per process that commits the checkpoints of all its runs together.

While one statement is on its way, the next checkpoints gather: batches grow with load and an idle process
waits for nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue

import psycopg2
import structlog

from automation.engine.status import RunStatus
from automation.runtime.large_lane import LargeLane
from automation.runtime.vital import VitalThread
from automation.services import meters
from automation.store.checkpoint import Entry, Move, texts_of, write_checkpoint
from automation.store.connection import TOO_LARGE, UNREACHABLE, Connection
from automation.store.payloads import Texts

MOST_ENTRIES = 64  # per statement: keeps one slow batch from delaying every run of the process
MOST_BYTES = 1 << 20  # of values per statement
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Receipt:
    """The answer to one checkpoint: the run's status now, or None when the claim was lost.

    Its values are written as JSON (and compressed) here, in the thread that hands it in, not in the writer's.
    """

    __slots__ = ("_gate", "_texts", "entry", "status")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.status: int | None = None
        self._texts: Texts | Exception
        try:
            self._texts = texts_of(entry)
        except (TypeError, ValueError) as error:
            self._texts = error
        self._gate = threading.Lock()
        self._gate.acquire()

    @property
    def texts(self) -> Texts:
        """The values as JSON. Raises TypeError, ValueError for what is no JSON."""
        if isinstance(self._texts, Exception):
            raise self._texts
        return self._texts

    @property
    def size(self) -> int:
        """About how many bytes it adds to a statement."""
        return 0 if isinstance(self._texts, Exception) else self._texts.size

    @property
    def is_large(self) -> bool:
        """True when others should not wait for it."""
        return not isinstance(self._texts, Exception) and (bool(self._texts.payloads) or self.size > MOST_BYTES)

    def settle(self, status: int | None) -> None:
        """Give the answer; called once, by the writer."""
        self.status = status
        self._gate.release()

    def wait(self) -> int | None:
        """Wait for the answer."""
        with self._gate:
            return self.status


class Writer(VitalThread):
    """Commits checkpoints in groups, in the order each run gave them."""

    def __init__(
        self,
        connection: Connection | None = None,
        *,
        on_ended: Callable[[Entry], None] = lambda _entry: None,
        on_ends: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__("writer")
        self._on_ended = on_ended  # told of runs whose end matters to a caller or a limit
        self._on_ends = on_ends  # told when runs have ended
        self._connection = connection or Connection(application_name="brainops-writer")
        self._inbox: SimpleQueue[Receipt | None] = SimpleQueue()
        self._held_back: list[Receipt] = []
        self._is_abandoned = False
        self._large = LargeLane(self._commit_large)

    def submit(self, entry: Entry) -> Receipt:
        """Hand in a checkpoint; `wait()` on the receipt when the answer matters."""
        receipt = Receipt(entry)
        self._inbox.put(receipt)
        return receipt

    def stop(self, timeout_seconds: float) -> None:
        """Commit what was handed in, then end. After the timeout what is left is abandoned to recovery."""
        self._inbox.put(None)
        self.join(timeout_seconds)
        self._is_abandoned = True

    def live(self) -> None:
        """Commit batches until stopped."""
        is_stopping = False
        while not (is_stopping and not self._held_back and self._inbox.empty()):
            batch, saw_stop = self._gather()
            is_stopping = is_stopping or saw_stop
            for part in in_lock_order(batch):
                commit(self._connection, part, give_up=lambda: self._is_abandoned)
                self._tell(part)
        self._large.stop()
        self._connection.close()

    def _commit_large(self, connection: Connection, receipt: Receipt) -> None:
        commit(connection, [receipt], give_up=lambda: self._is_abandoned)
        self._tell([receipt])

    def _tell(self, batch: Sequence[Receipt]) -> None:
        ended = [one.entry for one in batch if one.status is not None and one.status >= RunStatus.SUCCEEDED]
        for entry in ended:
            if entry.limit_key or entry.called_by:
                self._on_ended(entry)
        if ended:
            self._on_ends()

    def _gather(self) -> tuple[list[Receipt], bool]:
        """One batch with at most one entry per run; a second one of the same run waits for the next batch."""
        batch: list[Receipt] = []
        later: list[Receipt] = []
        runs: set[int] = set()
        waiting = self._held_back
        saw_stop = has_handed_over = False
        size = 0
        while len(batch) < MOST_ENTRIES and size < MOST_BYTES:
            if waiting:
                receipt: Receipt | None = waiting.pop(0)
            elif (batch or has_handed_over) and self._inbox.empty():
                break
            else:
                receipt = self._inbox.get()
            if receipt is None:
                saw_stop = True
                break
            if receipt.entry.run_id in runs:
                later.append(receipt)
                continue
            if self._large.takes(receipt):
                self._large.submit(receipt)
                has_handed_over = True
                continue
            size += receipt.size
            runs.add(receipt.entry.run_id)
            batch.append(receipt)
        self._held_back = later + waiting
        return batch, saw_stop


def in_lock_order(batch: Sequence[Receipt]) -> list[list[Receipt]]:
    """The batch in parts that lock rows in one order, so that batches of two processes seldom wait for each other.

    The end of a called run locks its caller after its own row: it goes apart from rows that other runs' ends lock.
    """
    parts: tuple[list[Receipt], list[Receipt]] = [], []
    for receipt in batch:
        entry = receipt.entry
        is_end = entry.move is not None and entry.move.status >= RunStatus.SUCCEEDED
        parts[is_end and entry.called_by is not None].append(receipt)
    parts[0].sort(key=lambda receipt: receipt.entry.run_id)
    parts[1].sort(key=lambda receipt: receipt.entry.called_by or 0)
    return [part for part in parts if part]


def commit(connection: Connection, batch: Sequence[Receipt], *, give_up: Callable[[], bool]) -> None:
    """Commit a batch and settle its receipts. Waits for an unreachable database until `give_up()`."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            texts = [receipt.texts for receipt in batch]
            standing = write_checkpoint(connection, [receipt.entry for receipt in batch], texts)
        except TOO_LARGE as error:
            _split(connection, batch, error, give_up=give_up)
            return
        except UNREACHABLE as error:
            # an unknown commit is safe to repeat: see write_checkpoint
            log.warning("checkpoint_waits_for_database", error=str(error).strip(), runs=len(batch))
            if give_up():
                _settle(batch, {})
                return
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        except (psycopg2.Error, TypeError, ValueError) as error:
            _split(connection, batch, error, give_up=give_up)
            return
        else:
            _settle(batch, standing)
            meters.committed([receipt.entry for receipt in batch], standing)
            return


def _split(connection: Connection, batch: Sequence[Receipt], error: Exception, *, give_up: Callable[[], bool]) -> None:
    """One value the database refuses must not fail its neighbours: write singly, then fail the culprit's run."""
    if len(batch) > 1:
        for receipt in batch:
            commit(connection, [receipt], give_up=give_up)
        return
    receipt = batch[0]
    log.error("checkpoint_refused", run_id=receipt.entry.run_id, error=str(error).strip())
    refusal = _refusal(receipt.entry, error)
    if refusal == receipt.entry:  # the refusal itself was refused: nothing is left to try
        receipt.settle(None)
        return
    substitute = Receipt(refusal)
    commit(connection, [substitute], give_up=give_up)
    receipt.settle(None)


def _refusal(entry: Entry, error: Exception) -> Entry:
    """Fail the run instead, with the reason in place of the value that could not be stored."""
    paths = ", ".join(repr(step.path) for step in entry.steps) or "the run"
    sentence = str(error).strip().partition("\n")[0]
    message = f"The result of {paths} cannot be stored as JSON: {sentence}. Remove such values from the output."
    details = {"type": "unstorable_output", "class": "user", "message": message}
    return Entry(entry.run_id, entry.claim, move=Move(RunStatus.FAILED, error=details))


def _settle(batch: Sequence[Receipt], standing: dict[int, int]) -> None:
    for receipt in batch:
        receipt.settle(standing.get(receipt.entry.run_id))
