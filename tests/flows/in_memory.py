"""Flows through the engine alone: no database, no workers, a clock that jumps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from automation.engine.containers import BATCH
from automation.engine.course import DEFAULT_LIMITS, Limits
from automation.engine.course.items import checksum
from automation.engine.document import parse_document
from automation.engine.document.parse import StepDocument
from automation.engine.keep import KeptPaths, Restart, kept_paths
from automation.engine.plan import Plan, build_plan
from automation.engine.results import StepResult, id_of
from automation.engine.simulate import START, Setup, Simulated, run_flow
from automation.engine.status import RunStatus, StepStatus
from automation.steps import all_kinds
from tests.flows.load import Answers, FlowFile, SignalFile
from tests.flows.observed import Observed
from tests.flows.server import Scripted
from tests.flows.workspace import FlowWorkspace

Json = Any


@dataclass(frozen=True)
class Played:
    """A flow in memory: what was seen of its run, how long that took, and what was seen of the run that retries it."""

    seen: Observed
    took: timedelta
    retried: Observed | None = None


def play(flow: FlowFile, server: Scripted) -> Played:
    """Run a flow, and its retry."""
    plan = build_plan(flow.definition, all_kinds())
    rows = survivors(flow)
    workspace = _workspace(flow, flow.answers)
    simulated = _Lives(flow, plan, workspace).run(_inputs(flow, server, flow.inputs), rows)
    took = simulated.finished_at - START
    seen = _observed(simulated, workspace, server.requests)
    if flow.retry is None:
        return Played(seen, took)
    retry, asked = flow.retry, len(server.requests)
    definition = retry.definition or flow.definition
    given = flow.inputs if retry.inputs is None else retry.inputs
    again = _workspace(flow, retry.answers, kept=workspace)
    lives = _Lives(flow, build_plan(definition, all_kinds()), again)
    kept = tuple(copied(simulated, kept_by(flow, definition, simulated)))
    second = lives.run(_inputs(flow, server, given), kept)
    return Played(seen, took, _observed(second, again, server.requests[asked:]))


def survivors(flow: FlowFile) -> tuple[StepResult, ...]:
    """The rows that an earlier life of the run left behind."""
    kinds = {step.id: _kind(step) for step in parse_document(flow.definition).steps()}
    return tuple(_survivor(said, kinds) for said in flow.survived)


def _survivor(said: dict[str, Json], kinds: dict[str, str]) -> StepResult:
    values = {key: value for key, value in said.items() if key not in ("of", "items", "status")}
    if "of" in said:
        values |= {"kind": BATCH, "output": {"of": checksum(said["of"]), "items": said["items"]}}
    else:
        values["kind"] = kinds[id_of(said["path"])]
    return StepResult(status=StepStatus[said["status"].upper()], started_at=START, **values)


def _kind(step: StepDocument) -> str:
    words = ("for_each", "while", "try", "call")
    return next((word for word in words if word in step.fields), step.uses or "group")


def kept_by(flow: FlowFile, definition: dict[str, Json], first: Simulated) -> KeptPaths:
    """What the retry takes over of the first run."""
    assert flow.retry is not None
    if flow.retry.origin == "start":
        return KeptPaths()
    restart = None if flow.retry.origin == "failed" else flow.retry.origin
    assert restart is None or Restart.read(restart).step
    return kept_paths(parse_document(flow.definition), parse_document(definition), first.steps, restart=restart)


def copied(first: Simulated, kept: KeptPaths) -> Iterator[StepResult]:
    """The rows as the start of a retry copies them (`store/start.py`)."""
    for path in sorted(kept.final):
        yield replace(first.steps[path], is_kept=True)
    for path in sorted(kept.reopened):
        again = [index for batch, index in kept.items_again if batch == path]
        reason = {"again": again} if again else None
        yield replace(first.steps[path], status=StepStatus.OPEN, is_kept=True, reason=reason, finished_at=None)


class _Lives:
    """A run from news to news: whenever it waits for something that comes, another life goes on from its rows."""

    def __init__(self, flow: FlowFile, plan: Plan, workspace: FlowWorkspace) -> None:
        self._flow = flow
        self._plan = plan
        self._workspace = workspace
        self._later = [signal for signal in flow.signals if signal.when or signal.url_of]

    def run(self, inputs: dict[str, Json], rows: tuple[StepResult, ...]) -> Simulated:
        """Run to the end, or to where nobody gives news any more."""
        setup = Setup(
            inputs=inputs,
            trigger=self._flow.trigger,
            variables=self._flow.variables,
            run={
                "id": "run-1",
                "number": 1,
                "workflow": "Flow",
                "version": "1.0.0",
                "attempt": 1,
                "mode": "test",
                "started_at": START.isoformat(),
            },
            results=rows,
            workspace=self._workspace,
            limits=_limits(self._flow),
        )
        life = run_flow(self._plan, setup)
        whole = life
        while life.finished.status is RunStatus.WAITING and (at := self._news(life)) is not None:
            life = run_flow(self._plan, replace(setup, now=at, results=tuple(life.steps.values())))
            whole = _joined(whole, life)
        return whole

    def _news(self, life: Simulated) -> datetime | None:
        """Bring the next news; the instant at which it comes, None when there is none."""
        due = [signal for signal in self._later if self._is_due(signal, life)]
        for signal in due:
            self._later.remove(signal)
            self._send(signal)
        if due:
            return life.finished_at
        ends_at = self._workspace.next_end(life.finished_at.timestamp())
        return None if ends_at is None else datetime.fromtimestamp(ends_at, UTC)

    def _is_due(self, signal: SignalFile, life: Simulated) -> bool:
        if signal.url_of is not None:
            return signal.url_of in self._workspace.urls
        return (signal.when or "") in life.steps  # it waits, or did until a timer was due

    def _send(self, signal: SignalFile) -> None:
        name = signal.name if signal.url_of is None else self._workspace.urls[signal.url_of]
        self._workspace.signals.setdefault(name, []).append(signal.payload)


def _joined(before: Simulated, life: Simulated) -> Simulated:
    return replace(
        life,
        logs=before.logs + life.logs,
        attempts=before.attempts + life.attempts,
        response=before.response or life.response,
    )


def _workspace(flow: FlowFile, answers: Answers, *, kept: FlowWorkspace | None = None) -> FlowWorkspace:
    signals = defaultdict(list)
    for signal in flow.signals if kept is None else ():
        if not signal.when and not signal.url_of:
            signals[signal.name].append(signal.payload)
    return FlowWorkspace(
        values=dict(flow.values) if kept is None else kept.values,
        versions=dict.fromkeys(flow.values, 1) if kept is None else kept.versions,
        events=[] if kept is None else kept.events,
        signals=signals,
        variables=flow.variables,
        secrets=flow.secrets,
        answers=answers,
        workflows=flow.workflows,
        callers=(flow.name,),
    )


def _inputs(flow: FlowFile, server: Scripted, given: dict[str, Json]) -> dict[str, Json]:
    return {**given, "server": server.url} if flow.server else given


def _limits(flow: FlowFile) -> Limits:
    said = flow.limits
    return Limits(
        items=said.get("loop_items", DEFAULT_LIMITS.items), run_bytes=said.get("run_bytes", DEFAULT_LIMITS.run_bytes)
    )


def _observed(result: Simulated, workspace: FlowWorkspace, requests: Iterable[dict[str, Json]]) -> Observed:
    seconds = result.finished_at.timestamp()
    return Observed(
        status=result.finished.status.word,
        output=result.finished.output,
        error=result.finished.error,
        steps={path: _as_seen(row) for path, row in result.steps.items()},
        logs=[[step, line.level, line.message] for step, line in result.logs],
        response=result.response,
        requests=list(requests),
        values=dict(workspace.kept(seconds)),
        events=[[name, payload] for name, payload in workspace.events],
        children=workspace.family(seconds),
    )


def _as_seen(row: StepResult) -> dict[str, Json]:
    return {
        "status": row.status.word,
        "output": row.output,
        "port": row.port,
        "attempt": row.attempt,
        "reason": row.reason,
        "error": row.error,
        "kept": row.is_kept,
        "items": row.output["items"] if row.kind == BATCH else None,
    }
