"""The workspace of a flow in memory: people who answer, and workflows that are really run when they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from automation.engine.commands import AskApproval, CallWorkflow, Command, CommandRefused, MakeCallback, TakeSignal
from automation.engine.plan import build_plan
from automation.engine.simulate import Setup, Simulated, run_flow
from automation.engine.stand_in import Workspace
from automation.engine.status import RunStatus
from automation.steps import all_kinds
from tests.flows.load import Answers

Json = Any
SOMEBODY = "ada"  # who answers where a flow names nobody
MOST_CALLS = 8  # one in another, as BRAINOPS_LIMIT_CALL_DEPTH says where nobody changes it


@dataclass
class CalledRun:
    """A run that a step called. It goes on by itself and ends at `ends_at` seconds of the clock, None for never."""

    workflow: str
    came_to: Simulated
    ends_at: float | None
    is_detached: bool
    was_failure_seen: bool = False

    def answer(self, path: str, seconds: float) -> dict[str, Json]:
        """What the step that called it hears at an instant."""
        is_final = self.ends_at is not None and seconds >= self.ends_at
        finished = self.came_to.finished
        status, output, error = (
            (finished.status.word, finished.output, finished.error) if is_final else ("queued", None, None)
        )
        self.was_failure_seen = is_final and finished.status is not RunStatus.SUCCEEDED
        return {"run": f"run-of-{path}", "status": status, "output": output, "error": error, "is_final": is_final}


@dataclass(slots=True)
class FlowWorkspace(Workspace):
    """`workflows` are documents by name, `callers` the names of the workflows above, the run's own last."""

    answers: Answers = field(default_factory=dict)
    variables: Mapping[str, Json] = field(default_factory=dict)
    workflows: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    callers: tuple[str, ...] = ()
    called: dict[str, list[CalledRun]] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)  # of steps, with the signals they send

    def perform(self, path: str, command: Command, seconds: float) -> Json:
        """Answer one command: calls and approvals here, the others as the stand-in of every simulated run does."""
        if isinstance(command, CallWorkflow):
            return self._call(path, command, seconds)
        if isinstance(command, AskApproval):
            return self._ask(path, command, seconds)
        if isinstance(command, MakeCallback) or (isinstance(command, TakeSignal) and command.with_url):
            self.urls.setdefault(path, command.name)
        return Workspace.perform(self, path, command, seconds)

    def family(self, seconds: float) -> dict[str, dict[str, Json]]:
        """What came of the called runs when this run ended: those it still waited for were cancelled with it."""
        found = {}
        for path, runs in self.called.items():
            for number, run in enumerate(runs, 1):
                is_cut = not run.is_detached and (run.ends_at is None or run.ends_at > seconds)
                status = "cancelled" if is_cut else run.came_to.finished.status.word
                output = None if is_cut else run.came_to.finished.output
                name = path if number == 1 else f"{path}#{number}"
                found[name] = {"workflow": run.workflow, "status": status, "output": output}
        return found

    def next_end(self, seconds: float) -> float | None:
        """When the next called run ends that somebody waits for."""
        ends = [run.ends_at for runs in self.called.values() for run in runs if not run.is_detached]
        return min((at for at in ends if at is not None and at > seconds), default=None)

    def _ask(self, path: str, command: AskApproval, seconds: float) -> Json:
        votes = [_vote(said, seconds) for said in self.answers.get(path, ())]
        decided = _decided(votes, command.quorum)
        if decided is not None:
            self.decisions = {**self.decisions, path: decided}
        shown = votes if command.kind == "approval" else []
        return {**Workspace.perform(self, path, command, seconds), "votes": shown}

    def _call(self, path: str, command: CallWorkflow, seconds: float) -> Json:
        """Start the run once; another one only after somebody heard that the one before failed."""
        runs = self.called.setdefault(path, [])
        if not runs or runs[-1].was_failure_seen:
            runs.append(self._started(command, seconds))
        return runs[-1].answer(path, seconds)

    def _started(self, command: CallWorkflow, seconds: float) -> CalledRun:
        name = command.workflow
        self._refuse(name)
        plan = build_plan(self.workflows[name], all_kinds())
        inputs = plan.inputs.complete(dict(command.inputs))
        if plan.inputs.check(inputs):
            raise CommandRefused("invalid_inputs", f"The workflow {name!r} refuses its inputs.")
        inner = FlowWorkspace(
            values=self.values,
            versions=self.versions,
            expires=self.expires,
            events=self.events,
            variables=self.variables,
            secrets=self.secrets,
            workflows=self.workflows,
            callers=(*self.callers, name),
        )
        start = datetime.fromtimestamp(seconds, UTC)
        came_to = run_flow(plan, Setup(inputs=inputs, now=start, workspace=inner, variables=self.variables))
        is_over = came_to.finished.status is not RunStatus.WAITING
        ends_at = came_to.finished_at.timestamp() if is_over else None
        return CalledRun(name, came_to, ends_at, command.is_detached)

    def _refuse(self, name: str) -> None:
        """The refusals of a call, as the database makes them."""
        if len(self.callers) > MOST_CALLS:
            raise CommandRefused("calls_too_deep", f"At most {MOST_CALLS} calls may stand one in another.")
        if name in self.callers:
            raise CommandRefused("call_cycle", f"The calls go round in a circle: {' → '.join((*self.callers, name))}.")
        if name not in self.workflows:
            raise CommandRefused("unknown_workflow", f"This workspace has no workflow {name!r}.")


def _vote(said: Mapping[str, Json], seconds: float) -> dict[str, Json]:
    return {
        "voter": said.get("by", SOMEBODY),
        "verdict": said["state"],
        "comment": said.get("comment", ""),
        "data": said.get("data"),
        "at": datetime.fromtimestamp(seconds, UTC).isoformat(),
    }


def _decided(votes: Sequence[Mapping[str, Json]], quorum: int) -> dict[str, Json] | None:
    """The decision, once there is one: anything but an approval decides alone."""
    given = 0
    for vote in votes:
        given += vote["verdict"] == "approved"
        if vote["verdict"] != "approved" or given >= quorum:
            return {
                "state": vote["verdict"],
                "decided_by": vote["voter"],
                "comment": vote["comment"],
                "data": vote["data"],
            }
    return None
