"""Journal: what a turn knows and has not committed yet, and the policy of when it must.

Pure results are kept in memory and written with the next checkpoint. The result of a side effect is written
before the next effect, wait or end: between the two only pure steps run, and a crash there repeats an effect
under the same idempotency key at worst.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from automation.engine.commands import ClaimLost
from automation.engine.course import Course
from automation.engine.kinds import Effect, LogLine
from automation.engine.points import reach
from automation.engine.status import RunStatus
from automation.runtime.lines import keepable
from automation.runtime.writer import Writer
from automation.store.checkpoint import Entry, Line, Move
from automation.store.claim import Claimed

LONGEST_UNFLUSHED_SECONDS = 1.0
LONGEST_UNFLUSHED_EFFECT_SECONDS = 0.25
MOST_UNFLUSHED_EFFECTS = 100  # of items of a loop: what a crash repeats at most, however quick they are
MOST_LINES = 1_000  # per turn; the last one says that more was dropped
LOG_IS_FULL = LogLine("warning", f"The log of this run reached {MOST_LINES} lines; later ones are dropped.")
LINES_PER_TURN = 1_000_000  # numbers a turn may use, so that a resumed run never collides with its earlier life


class Journal:
    """Gathers rows, log lines and the answer of one turn, and commits them through the writer.

    The rows are the course's: those of a loop are put together only when they are committed. `is_careful` commits after
    every step: a run that already took a process down, or whose workflow asks for it.
    """

    def __init__(self, run: Claimed, writer: Writer, course: Course, *, is_careful: bool = False) -> None:
        self.is_careful = is_careful
        self._run = run
        self._writer = writer
        self._course = course
        self._skew = run.claimed_at - time.time()  # of the database's clock
        self._lines: list[Line] = []
        self._response: Any = None
        self._line_count = 0
        self._flush_by = float("inf")
        self._must_flush_before_effect = False
        self._unflushed_effects = 0
        self._loops: set[str | None] = set()  # with results that only other items of the same loop need not wait for

    def before_effect(self, loop: str | None = None) -> None:
        """Commit what a crash in the coming effect must not undo; `loop` as in `after`."""
        if self._must_flush_before_effect or self._response is not None or self._loops - {loop}:
            self.flush()

    def after(self, effect: Effect, *, is_deterministic: bool, loop: str | None = None) -> None:
        """Note what kind of result comes next.

        `loop` is the id of a loop around this one step. Nothing follows from an item for the other items, so their
        effects need not wait for it; a crash repeats a few under the same idempotency keys.
        """
        wait = LONGEST_UNFLUSHED_SECONDS if effect is Effect.PURE else LONGEST_UNFLUSHED_EFFECT_SECONDS
        self._flush_by = min(self._flush_by, time.monotonic() + wait)
        self._unflushed_effects += effect is not Effect.PURE
        is_followed = effect is not Effect.PURE or not is_deterministic
        if is_followed and loop is not None:
            self._loops.add(loop)
        if (is_followed and loop is None) or self._unflushed_effects >= MOST_UNFLUSHED_EFFECTS:
            self._must_flush_before_effect = True

    def gather(self) -> None:
        """Commit what came up when the policy says so."""
        if self._course.has_rows and (self.is_careful or time.monotonic() >= self._flush_by):
            self.flush()

    def add_lines(self, path: str, attempt: int, lines: Iterable[LogLine], at: datetime) -> None:
        """Take log lines; beyond the limit they are dropped and one line says so."""
        for line in lines:
            self._line_count += 1
            if self._line_count > MOST_LINES:
                continue
            kept = LOG_IS_FULL if self._line_count == MOST_LINES else keepable(line)
            seq = self._run.attempt * LINES_PER_TURN + self._line_count
            self._lines.append(Line(seq, path, attempt, at.timestamp(), kept))

    def respond(self, response: Any) -> None:
        """Take the answer for the waiting caller; the first counts; it is committed before anything slow."""
        if self._response is None:
            self._response = response
            self._must_flush_before_effect = True

    def flush(self) -> None:
        """Commit what was gathered and wait for it. Raises ClaimLost."""
        if not (self._course.has_rows or self._lines or self._response is not None):
            return
        if self._writer.submit(self._entry(None)).wait() is None:
            raise ClaimLost
        reach("after_checkpoint_commit")

    def close(self, move: Move) -> int | None:
        """Commit the rest together with the run's move; return the status it then has.

        Waits only when another turn may follow on this process: the end of a run is answered with None.
        """
        receipt = self._writer.submit(self._entry(move))
        return None if RunStatus(move.status).is_final else receipt.wait()

    def _entry(self, move: Move | None) -> Entry:
        entry = Entry(
            self._run.id,
            self._run.claim,
            tuple(self._course.take_rows()),
            tuple(self._lines),
            move,
            self._response,
            limit_key=self._run.limit_key,
            called_by=self._run.called_by,
            seconds=None if move is None else time.time() + self._skew - self._run.created_at,
        )
        self._lines, self._response = [], None
        self._flush_by, self._must_flush_before_effect, self._unflushed_effects = float("inf"), False, 0
        self._loops.clear()
        return entry
