"""Random workflows on real workers that die anywhere: what they come to, and do to the world, is as without a crash."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from automation.engine.containers import BATCH
from automation.engine.finish import Finished
from automation.engine.idempotency import idempotency_key
from automation.engine.plan import build_plan
from automation.engine.results import StepResult, id_of
from automation.engine.simulate import START, Setup, Simulated, run_flow
from automation.engine.stand_in import Workspace as InMemory
from automation.engine.status import RunStatus, StepStatus
from automation.models import Approval, Run, RunLog
from automation.runtime.secret import idempotency_secret
from automation.services.approval_decisions import answer
from automation.services.runs import cancel
from automation.services.signals import send
from automation.store.connection import Connection
from automation.store.load import load_steps
from automation.tests.engine.test_random_containers import Maker, meaning
from automation.tests.property.acts import kinds
from automation.tests.property.lives import Lives
from automation.tests.property.profiles import SUPPRESSED
from automation.tests.triggers.rows import make_workflow as make_callee
from brainops.accounts.caller import system_caller
from tests.live import Receiver

DOES = ("succeed", "succeed", "flaky", "sleep", "fail", "send", "send", "once")
OWN = ("signal", "count", "call")
POINTS = (
    "after_claim_commit",
    "before_effect",
    "before_effect",
    "after_effect",
    "after_effect",
    "after_checkpoint_commit",
    "after_checkpoint_commit",
    "in_park",
    "in_local_effect",
    "after_local_effect",
    "in_child_create",
    "in_recover",
)
QUICK = {"retry": {"max_attempts": 2, "initial": "10ms", "max": "20ms"}}
CALLEE = "Callee"
SIGNALS_AT_ONCE = 12
RUNS_AT_ONCE = 6
MOST_LIVES = 60


class RuntimeMaker(Maker):
    """Draws steps for real workers: they call somebody, count, wait for signals and call a workflow."""

    def leaf(self) -> dict[str, Any]:
        name, does = f"s{next(self._numbers)}", self._draw(st.sampled_from(DOES + OWN))
        if does == "signal":
            return {"id": name, "uses": "wait_signal", "with": {"name": name}}
        if does == "count":
            return {"id": name, "uses": "state_increment", "with": {"key": "count-{{ run.number }}"}, **QUICK}
        if does == "call":
            return {"id": name, "call": {"workflow": CALLEE}}
        says = {"does": does, "run": "{{ run.number }}", "url": "{{ inputs.url }}"}
        return {"id": name, "uses": "act", "with": says, "on_unknown": "ask", **QUICK}

    def container(self, depth: int) -> dict[str, Any]:
        made = super().container(depth)
        if "output" in made:
            made["output"] = f"{{{{ steps.{made['steps'][0]['id']}.status }}}}"
        if "while" in made and made["while"]["every"] == "9s":
            made["while"]["every"] = "60ms"
        return made


@st.composite
def documents(draw: Any) -> dict[str, Any]:
    return {"schema": 1, "steps": RuntimeMaker(draw).body(0, most=3)}


@dataclass(frozen=True)
class Death:
    """Where a process dies, and the how manieth time it gets there."""

    point: str
    nth: int


deaths = st.builds(Death, st.sampled_from(POINTS), st.integers(1, 15))


@dataclass
class World:
    """Everything outside of the workers."""

    lives: Lives
    store: Connection
    receiver: Receiver
    version: Any
    accept: Any
    number: int = 1


@dataclass
class Told:
    """A run under way, and what it comes to without a crash."""

    document: dict[str, Any]
    run: Any
    expected: Simulated
    caller: Any
    is_cancelled: bool = False
    signals: set[str] = field(default_factory=set)


def simulated(document: dict[str, Any]) -> Simulated:
    names = signal_names(document["steps"])
    workspace = InMemory(signals={name: [1] * 500 for name in names}, children={CALLEE: {"output": 1}})
    result = run_flow(build_plan(document, kinds()), Setup(inputs={"url": None}, workspace=workspace))
    assert result.finished.status.is_final
    return result


def signal_names(steps: list[dict[str, Any]]) -> set[str]:
    """The signals that some steps, or steps inside them, wait for."""
    found = {step["with"]["name"] for step in steps if step.get("uses") == "wait_signal"}
    for step in steps:
        handlers = step.get("try", {})
        for body in (step.get("steps"), handlers.get("catch"), handlers.get("finally")):
            found |= signal_names(body or [])
    return found


def start(world: World, document: dict[str, Any]) -> Told:
    """Store the document as a version of its own, and start it."""
    world.number += 1
    number = f"{world.number}.0.0"
    version = type(world.version).objects.create(
        workspace_id=world.version.workspace_id,
        workflow_id=world.version.workflow_id,
        ordinal=world.number,
        number=number,
        name="Random",
        definition=document,
        checksum="",
    )
    accepted = world.accept(version, inputs={"url": world.receiver.url})
    caller = system_caller(version.workspace_id, "random runs")
    return Told(document, accepted, simulated(document), caller, signals=signal_names(document["steps"]))


def speak(world: World, told: Told) -> None:
    """Send every signal it may wait for, and say what became of effects: whoever was called knows."""
    run = Run.objects.get(id=told.run.id)
    if run.is_final:
        return
    for name in told.signals:
        for _ in range(SIGNALS_AT_ONCE):
            send(told.caller, told.run.uid, name, payload=1)
    for approval in Approval.objects.filter(run=run, state="pending"):
        has_happened = f"{run.id}:{approval.path}" in world.receiver.keys
        answer(told.caller, approval.id, "happened" if has_happened else "repeat", output=1 if has_happened else None)


def live_on(world: World, several: list[Told], plan: list[Death], *, cancels: int) -> None:
    """One life after the other until every run has ended; the first ones die as planned."""
    for life in range(MOST_LIVES):
        death = plan[life] if life < len(plan) else None
        code = world.lives.live(*((death.point, death.nth) if death else ()))
        assert code in ((0, 9) if death else (0,))
        # a run whose process died twice under it would go on alone in a child that does not know `act`
        Run.objects.filter(status__in=(RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING)).update(crashes=0)
        if not Run.objects.filter(status__lt=RunStatus.SUCCEEDED).exists():
            return
        time.sleep(0.02)  # requests of the dead that are still on their way
        for told in several[:cancels]:
            if not told.is_cancelled and not Run.objects.get(id=told.run.id).is_final:
                told.is_cancelled = True
                cancel(told.caller, told.run.uid)
        for told in several:
            speak(world, told)
    left = [(told.document, Run.objects.get(id=told.run.id).status_word) for told in several]
    pytest.fail(f"after {MOST_LIVES} lives: {left}")


def check(world: World, told: Told) -> None:
    """It ended once and as without a crash; nothing waits; each effect that counts happened, under its own key."""
    run = Run.objects.select_related("data").get(id=told.run.id)
    assert run.finishes == 1
    rows = load_steps(world.store, [run.id]).get(run.id, {})
    assert [row.path for row in rows.values() if not row.status.is_final] == []
    if told.is_cancelled:
        assert run.status == RunStatus.CANCELLED
    else:
        assert run.status == told.expected.finished.status, (run.data.error, told.document)
        if run.status == RunStatus.SUCCEEDED:
            assert comparable(rows, told.document) == comparable(told.expected.steps, told.document), told.document
    check_effects(world, told, run, rows)
    said = [(line.path, line.attempt, line.message) for line in RunLog.objects.filter(run=run).exclude(path="")]
    assert [line for line, times in Counter(said).items() if times > 1] == []
    children = Run.objects.filter(called_by_run=run)
    assert {child.finishes for child in children} <= {1}
    assert len({child.called_by_path for child in children}) == len(children)


def comparable(steps: Mapping[str, StepResult], document: dict[str, Any]) -> Any:
    """What the outermost steps come to, without what counters counted."""
    counters = {step["id"] for step in document["steps"] if step.get("uses") == "state_increment"}
    plain = {path: replace(row, output=None) if path in counters else row for path, row in steps.items()}
    return meaning(Simulated(Finished(RunStatus.SUCCEEDED), plain, (), None, (), START), document)


def check_effects(world: World, told: Told, run: Run, rows: dict[str, Any]) -> None:
    """Of rows that succeeded every call was made, all with the key of their path; what knows no keys was called once."""
    uses = uses_by_id(told.document["steps"])
    for path in succeeded_effects(rows):
        does = uses[id_of(path)]
        if does in ("send", "once"):
            assert world.receiver.keys[f"{run.id}:{path}"], (path, told.document)
    for id_, keys in world.receiver.keys.items():
        number, _, path = id_.partition(":")
        if number == str(run.id):
            assert set(keys) <= {idempotency_key(idempotency_secret(), str(run.uid), path)}
            assert uses[id_of(path)] == "send" or sum(keys.values()) <= 1, (path, told.document)


def succeeded_effects(rows: dict[str, Any]) -> list[str]:
    """The paths of writes that succeeded, those of items too."""
    found = [
        row.path for row in rows.values() if row.status is StepStatus.SUCCEEDED and row.effect not in (None, "read")
    ]
    for row in rows.values():
        if row.kind == BATCH:
            effects = [effect for item in row.output["items"] for effect in item.get("effects", ())]
            found += [effect["path"] for effect in effects if effect["status"] == "succeeded"]
    return found


def uses_by_id(steps: list[dict[str, Any]]) -> dict[str, str]:
    """What each step does, by id, of steps inside others too."""
    found = {}
    for step in steps:
        found[step["id"]] = step.get("with", {}).get("does", step.get("uses", "call"))
        handlers = step.get("try", {})
        for body in (step.get("steps"), handlers.get("catch"), handlers.get("finally")):
            found |= uses_by_id(body or [])
    return found


@pytest.fixture
def world(make_workflow: Any, accept: Any) -> Iterator[World]:
    receiver = Receiver()
    version = make_workflow({"id": "first", "uses": "transform", "with": {"set": {}}})
    steps = [{"id": "one", "uses": "transform", "with": {"set": {"value": 1}}}]
    definition = {"schema": 1, "steps": steps, "output": "{{ steps.one.output.value }}"}
    make_callee(workspace=version.workspace, definition=definition, name=CALLEE)
    made = World(Lives(receiver), Connection(), receiver, version, accept)
    yield made
    made.lives.close()
    made.store.close()
    receiver.close()


def play(world: World, drawn: list[dict[str, Any]], plan: list[Death], *, cancels: int, slow: float) -> None:
    """Run several documents at once through some deaths."""
    world.receiver.delay_seconds = slow
    told = [start(world, document) for document in drawn]
    live_on(world, told, plan, cancels=cancels)
    for one in told:
        check(world, one)
    world.receiver.keys.clear()


def explore(world: World, *, examples: int) -> None:
    """Play so many random examples."""

    @given(
        st.lists(documents(), min_size=RUNS_AT_ONCE, max_size=RUNS_AT_ONCE),
        st.lists(deaths, min_size=1, max_size=4),
        st.integers(0, 2),
        st.sampled_from([0.0, 0.02]),
    )
    @settings(
        max_examples=examples,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=SUPPRESSED,
        report_multiple_bugs=False,
        print_blob=True,
    )
    def example(drawn: Any, plan: Any, cancels: int, slow: float) -> None:
        play(world, drawn, plan, cancels=cancels, slow=slow)

    example()


def test_deaths_of_processes_change_nothing_that_random_runs_come_to(world):
    explore(world, examples=12)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_more_deaths_change_nothing_either(world):
    explore(world, examples=int(os.environ.get("RANDOM_RUNS", "300")))
