"""Turn: one stay of a run on this process, from its claim to its finish, park or hand-back.

Every decision is the engine's (`Course`, `prepare`, `attempt`, `settle`); this is the thin driver that performs them in
time, some beside each other, and commits what follows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from automation.engine.advance import Verdict
from automation.engine.attempt import Surroundings, attempt
from automation.engine.commands import CancelCall, ClaimLost, CommandInterrupted
from automation.engine.course import Course, Place
from automation.engine.effects import effect_of, idempotency_of
from automation.engine.finish import finish, timed_out
from automation.engine.idempotency import idempotency_key
from automation.engine.kinds import Effect, ErrorClass, Fail, Idempotency, Outcome, StepError
from automation.engine.points import reach
from automation.engine.prepare import Prepared, Skipped, prepare
from automation.engine.results import StepResult
from automation.engine.settle import Attempt, settle, skip, woken
from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.engine.unknown import judged, question
from automation.runtime import lines, refusals
from automation.runtime.flights import Flight, Flights
from automation.runtime.host import Host
from automation.runtime.journal import Journal
from automation.runtime.plans import Loaded
from automation.runtime.resting import SHORT_WAIT_SECONDS, seconds_until, wait_kind
from automation.runtime.run_clock import RunClock
from automation.runtime.run_scope import run_scope
from automation.runtime.run_trace import RunTrace
from automation.runtime.secret import idempotency_secret
from automation.services import meters
from automation.store.checkpoint import Entry, Move
from automation.store.claim import Claimed
from automation.store.commands import CommandContext

MOST_ATTEMPTS = 100  # of a step, by the document's schema
LONGEST_LOOK_SECONDS = 0.5  # while attempts are under way: how soon a cancel or a timer is seen
NOT_BEGUN = Fail(StepError("cancelled", "The run was cancelled before this step began.", ErrorClass.CANCELLED))

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a run: its rows by path, the steps whose called runs have ended, and the variables it reads."""

    steps: Mapping[str, StepResult]
    ended_calls: frozenset[str] = frozenset()
    variables: Mapping[str, Any] = field(default_factory=dict)


class Turn:
    """Drives one claimed run. `execute` never raises; another thread may `cancel` or `lose` it."""

    def __init__(self, run: Claimed, version: Loaded, known: Known, host: Host) -> None:
        self.run = run
        self._version = version
        self._host = host
        self._stopped = threading.Event()  # cancelled or lost: wakes every sleep
        self._is_lost = False
        self._clock = RunClock(run)
        self._scope = run_scope(run, version, known.variables)
        self._course = Course(
            version.plan,
            known.steps.values(),
            self._scope,
            now=self._clock.now(),
            limits=host.limits,
            ended_calls=known.ended_calls,
        )
        is_careful = run.crashes > 0 or version.plan.settings.checkpoint == "step"
        self._journal = Journal(run, host.writer, self._course, is_careful=is_careful)
        self._is_woken_by_call = bool(known.ended_calls)
        self._flights = Flights(host.threads)
        self._trace = RunTrace(run, version)
        self._doing: tuple[str, int, float] | None = None
        self._heard = self._signals = run.signals  # news told by the heartbeat, and that steps were asked about

    def cancel(self) -> None:
        """Stop at the next chance; I/O under way is given up."""
        self._stopped.set()

    def lose(self) -> None:
        """The claim is gone: stop and write nothing."""
        self._is_lost = True
        self._stopped.set()

    def hear(self, signals: int) -> None:
        """There is news of what its steps wait for, `signals` of it by now."""
        self._heard = max(self._heard, signals)

    def progress(self) -> list[dict[str, Any]]:
        """What this turn is on, for the heartbeat."""
        flying = [(path, one.place.number, one.started_at.timestamp()) for path, one in self._under_way()]
        doing = self._doing
        if doing is not None or not flying:
            flying.append(doing or ("", 0, self.run.claimed_at))
        run = str(self.run.uid)
        return [{"run": run, "path": path, "attempt": number, "started_at": at} for path, number, at in flying]

    def _under_way(self) -> list[tuple[str, Flight]]:
        return list(self._flights.under_way.copy().items())  # the turn goes on meanwhile

    def execute(self) -> None:
        """Run until the run finishes, parks, is handed back or is lost."""
        if self.run.attempt > 1 and not self._is_woken_by_call:
            line = lines.goes_on(attempt=self.run.attempt, crashes=self.run.crashes)
            self._journal.add_lines("", self.run.attempt, (line,), self._clock.now())
        try:
            with self._trace.stay():
                self._go()
        except ClaimLost:
            self.lose()  # attempts under way elsewhere stop too
            log.info("claim_lost", run_id=str(self.run.uid))
        except CommandInterrupted:
            log.info("run_waits_for_database", run_id=str(self.run.uid))
            self._hand_back()
        except Exception as error:
            log.exception("run_broke", run_id=str(self.run.uid))
            self._break(refusals.broke(error))

    def _go(self) -> None:
        course = self._course
        while not self._is_interrupted():
            self._journal.gather()
            if course.verdict is not None:
                self._finish(course.verdict)
                return
            course.ring(self._clock.now())
            if self._heard > self._signals:
                self._signals = self._heard
                course.hear()
            if course.has_let_go:
                self._end_calls()
            place = self._next()
            if place is not None:
                self._advance(place)
            elif self._flights.under_way:
                self._land()
            elif course.verdict is None and not course.has_ready and self._rest():
                return

    def _next(self) -> Place | None:
        if len(self._flights.under_way) >= self._host.most_parallel:
            return None
        return self._course.take_ready() or self._course.take_due(self._clock.now())

    # one step

    def _advance(self, place: Place) -> None:
        self._course.start(place)
        before, now = place.before, self._clock.now()
        if before is not None and place.is_woken:
            self._course.record(place, woken(before, now=now), now)
        elif before is not None and place.is_asked_about:
            answer = self._host.commands.perform(
                self._context(place.step.path, attempt=place.number), question(place.step, before)
            )
            self._course.record(place, judged(place.step, before, answer, now=now), now)
        else:
            prepared = prepare(place.step, place.scope)
            if isinstance(prepared, Skipped):
                self._course.record(place, skip(place.step, prepared.reason, now=now), now)
            elif isinstance(prepared, Prepared):
                self._fly(self._flight(place, prepared, now))
            else:
                self._settle(place, prepared, Attempt(place.number, {}, now, self._clock.now(), seed=self.run.id))

    def _flight(self, place: Place, prepared: Prepared, started_at: datetime) -> Flight:
        ends_at = time.monotonic() + min(place.step.timeout_seconds, self._clock.seconds_left(place.frame.deadline))
        context = self._context(place.step.path, attempt=place.number)  # one for the attempt: it counts its commands
        around = Surroundings(
            scope=place.scope,
            idempotency_key=idempotency_key(idempotency_secret(), str(self.run.uid), place.step.path),
            now=started_at,
            remaining_seconds=lambda: ends_at - time.monotonic(),
            is_cancelled=self._stopped.is_set,
            perform=lambda command: self._host.commands.perform(context, command),
        )
        effect = effect_of(place.step.kind, prepared.config)
        step, number = place.step, place.number
        act = self._trace.around(step.path, step.kind.key, number, lambda: attempt(step, prepared, number, around))
        return Flight(place, prepared, effect, started_at, act)

    def _fly(self, flight: Flight) -> None:
        """Attempt it: beside others when there are others, here otherwise."""
        effect = flight.effect
        if effect is not Effect.PURE:
            self._before_effect(flight)
            if self._stopped.is_set():  # cancelled while it waited to begin
                self._landed(flight, NOT_BEGUN)
                return
        takes_time = effect is not Effect.PURE or flight.place.step.kind.is_blocking
        if takes_time and (self._flights.under_way or self._course.has_others):
            self._flights.begin(flight)
            return
        self._doing = (flight.place.step.path, flight.place.number, flight.started_at.timestamp())
        try:
            outcome = flight.act()
        finally:
            self._doing = None
        self._landed(flight, outcome)

    def _before_effect(self, flight: Flight) -> None:
        """Commit what a crash must not undo; mark an effect that must not happen twice; prove that we live."""
        place, config = flight.place, flight.prepared.config
        self._journal.before_effect(_loop_of(place))
        if flight.effect.is_write and idempotency_of(place.step.kind, config) is Idempotency.NONE:
            step, number = place.step, place.number
            mark = StepResult(
                step.path, step.kind.key, StepStatus.STARTED, number, started_at=flight.started_at, effect=flight.effect
            )
            self._course.mark_started(place, mark)
            self._journal.flush()
        while not self._host.may_affect() and not self._stopped.wait(0.1):
            pass  # others may be about to take this run: no new effect until a heartbeat went through
        if self._is_lost:
            raise ClaimLost
        reach("before_effect")

    def _land(self) -> None:
        """Wait for an attempt under way, not longer than until something else is to be done."""
        due = self._course.next_due()
        left = LONGEST_LOOK_SECONDS if due is None else min(seconds_until(due, self._clock.now()), LONGEST_LOOK_SECONDS)
        landed = self._flights.land(max(0.001, left))
        if landed is not None:
            self._landed(*landed)

    def _landed(self, flight: Flight, outcome: Outcome) -> None:
        effect, place = flight.effect, flight.place
        if effect is not Effect.PURE:
            reach("after_effect")
        self._journal.after(effect, is_deterministic=place.step.kind.is_deterministic, loop=_loop_of(place))
        made = Attempt(
            place.number,
            flight.prepared.config,
            flight.started_at,
            self._clock.now(),
            seed=self.run.id,
            effect=None if effect is Effect.PURE else effect.value,
            began_at=place.began_at,
        )
        seconds = (made.finished_at - made.started_at).total_seconds()
        meters.attempted(place.step.kind.key, outcome, number=made.number, seconds=seconds)
        self._settle(place, outcome, made)

    def _settle(self, place: Place, outcome: Outcome, made: Attempt) -> None:
        if self._is_lost:
            raise ClaimLost
        settled = settle(place.step, outcome, made)
        self._journal.add_lines(place.step.path, made.number, settled.logs, made.finished_at)
        if settled.response is not None:
            self._journal.respond(settled.response)
        self._course.record(place, settled.result, self._clock.now())

    def _end_calls(self) -> None:
        """Cancel what was called by steps that were given up."""
        for path in self._course.take_let_go():
            self._host.commands.perform(self._context(path, attempt=MOST_ATTEMPTS), CancelCall())

    def _context(self, path: str, *, attempt: int) -> CommandContext:
        run = self.run
        return CommandContext(
            run_id=run.id,
            run_uid=run.uid,
            claim=run.claim,
            workspace_id=run.workspace_id,
            workflow_id=run.workflow_id,
            depth=run.depth,
            path=path,
            attempt=attempt,
            is_stopped=lambda: self._stopped.is_set() or self._host.is_stopping(),
        )

    # between steps

    def _is_interrupted(self) -> bool:
        """End or hand back the run when it must not go on here."""
        if self._is_lost:
            raise ClaimLost
        if self._stopped.is_set():
            self._drain()
            self._end(RunStatus.CANCELLED, None)
        elif self._clock.seconds_left() <= 0:
            self._drain()
            self._end(RunStatus.TIMED_OUT, timed_out(self._version.plan).error)
        elif self._host.is_stopping() and self._course.verdict is None:
            self._drain()
            self._journal.close(Move(RunStatus.QUEUED))
        else:
            return False
        return True

    def _drain(self) -> None:
        """Wait for what is under way: what it did is not left unsaid."""
        while self._flights.under_way:
            landed = self._flights.land(None)
            if landed is not None:
                self._landed(*landed)

    def _rest(self) -> bool:
        """Wait for the earliest timer: here when it is short, as a row otherwise (True: the turn is over)."""
        due = self._course.next_due()
        seconds = None if due is None else seconds_until(due, self._clock.now())
        if seconds is not None and seconds <= SHORT_WAIT_SECONDS:
            self._journal.flush()
            self._stopped.wait(max(0.0, seconds))
            return False
        resting = self._course.resting()
        if seconds is None and not resting:
            raise RuntimeError("Nothing is left to do, and the run has not come to its end.")
        kind = wait_kind(resting)
        if kind is not WaitKind.CHILD:  # a loop of calls parks after each of them
            self._journal.add_lines("", self.run.attempt, (lines.waits(kind, due),), self._clock.now())
        reach("in_park")
        move = Move(RunStatus.WAITING, wait_seconds=seconds, wait_kind=kind, signals=self._signals)
        if self._journal.close(move) == RunStatus.QUEUED:
            self._host.on_ready()  # news came while it was on its way
        elif seconds is not None:
            self._host.on_parked(seconds)
        return True

    # the end

    def _hand_back(self) -> None:
        """Somebody else goes on, as soon as nothing is under way here any more."""
        while self._flights.under_way:
            try:
                self._drain()
            except CommandInterrupted:
                continue
            except ClaimLost:
                self.lose()
                return
        self._journal.close(Move(RunStatus.QUEUED))

    def _break(self, refusal: Any) -> None:
        """A defect of ours ends the run, when what is under way has given up. Its rows may be what is broken."""
        self._stopped.set()
        while self._flights.under_way:
            with suppress(ClaimLost, CommandInterrupted):
                self._flights.land(None)
        try:
            self._end(RunStatus.FAILED, refusal)
        except Exception:
            log.exception("rows_broke", run_id=str(self.run.uid))
            entry = Entry(self.run.id, self.run.claim, move=Move(RunStatus.FAILED, error=refusal))
            self._host.writer.submit(entry)

    def _finish(self, verdict: Verdict) -> None:
        finished = finish(self._version.plan, self._scope, verdict)
        self._end(finished.status, finished.error, output=finished.output)

    def _end(self, status: RunStatus, error: Any, *, output: Any = None) -> None:
        """End the run for good; steps that still waited end with it."""
        self._course.end(self._clock.now())
        self._journal.close(Move(status, error=error, output=output))


def _loop_of(place: Place) -> str | None:
    """The loop whose items are this one step each; None for every other step."""
    owner = place.frame.owner
    return owner.step.id if owner is not None and place.frame.names.only is not None else None
