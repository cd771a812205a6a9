"""Flow files on the real runtime: stored, started, answered, retried and looked at through our own services."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from automation.engine.containers import BATCH
from automation.engine.plan import build_plan
from automation.engine.results import StepResult
from automation.engine.status import RunStatus, StepStatus
from automation.models import (
    Approval,
    ApprovalKind,
    Event,
    Run,
    RunLog,
    Secret,
    StateValue,
    StepRun,
    Variable,
    Workflow,
    WorkflowVersion,
)
from automation.services.approval_decisions import answer, approve, reject
from automation.services.retries import LATEST, Repeat, retry
from automation.services.signals import send, use_callback
from automation.steps import all_kinds
from automation.store.bell import ring_on_commit
from automation.store.intake import NewRun, insert_run
from brainops.accounts.caller import Caller, system_caller
from brainops.accounts.models import Workspace
from tests.flows.in_memory import survivors
from tests.flows.load import Answers, FlowFile, SignalFile
from tests.flows.observed import Observed
from tests.flows.server import Scripted
from tests.flows.workspace import SOMEBODY

Json = Any
T = TypeVar("T")
PAUSE_SECONDS = 0.02


@dataclass
class Started:
    """A flow under way in a workspace of its own, and what the world outside still has to say to it."""

    flow: FlowFile
    server: Scripted
    workspace: Workspace
    workflow: Workflow
    uid: UUID
    answers: list[tuple[str, dict[str, Json]]]
    signals: list[SignalFile]
    asked_before: int = 0  # requests of the run this one retries

    @property
    def caller(self) -> Caller:
        """Whoever acts in the workspace of the flow."""
        return system_caller(self.workspace.id, "flows")


def start(flow: FlowFile, server: Scripted) -> Started:
    """Store the workflows of a flow and start its run, with what an earlier life of it left behind."""
    workspace = Workspace.objects.create(name=flow.name, slug=flow.name.replace("_", "-"))
    for key, value in flow.values.items():
        StateValue.objects.create(workspace=workspace, key=key, value=value)
    for name, value in flow.variables.items():
        Variable.objects.create(workspace=workspace, name=name, value=value)
    for name, text in flow.secrets.items():
        Secret.objects.create(workspace=workspace, name=name, value=text)
    for name, document in flow.workflows.items():
        store(workspace, name, document)
    workflow = store(workspace, flow.name, flow.definition)
    assert workflow.current_version_id is not None
    plan = build_plan(flow.definition, all_kinds())
    run = NewRun(
        workspace_id=workspace.id,
        workflow_id=workflow.id,
        version_id=workflow.current_version_id,
        inputs=plan.inputs.complete(inputs_of(flow, server, flow.inputs)),
        trigger=flow.trigger,
        deadline_seconds=plan.settings.timeout_seconds,
    )
    with transaction.atomic():
        with connection.cursor() as cursor:
            accepted = insert_run(cursor, run)
        if flow.survived:
            Run.objects.filter(id=accepted.id).update(attempt=1, crashes=1, started_at=timezone.now())
        for row in survivors(flow):
            add_row(accepted.id, row)
        ring_on_commit()
    begun = Started(flow, server, workspace, workflow, accepted.uid, spoken(flow.answers), list(flow.signals))
    for signal in [one for one in flow.signals if not one.when and not one.url_of]:
        begun.signals.remove(signal)
        send(begun.caller, begun.uid, signal.name, payload=signal.payload)
    return begun


def store(workspace: Workspace, name: str, definition: dict[str, Json], *, number: int = 1) -> Workflow:
    """A workflow with a version, or another version of it."""
    workflow, _ = Workflow.objects.get_or_create(workspace=workspace, name=name, defaults={"definition": definition})
    version = WorkflowVersion.objects.create(
        workspace=workspace,
        workflow=workflow,
        ordinal=number,
        number=f"{number}.0.0",
        name=name,
        definition=definition,
        checksum="",
    )
    workflow.current_version = version
    workflow.save()
    return workflow


def inputs_of(flow: FlowFile, server: Scripted, given: dict[str, Json]) -> dict[str, Json]:
    """The inputs, with the server's address where there is one."""
    return {**given, "server": server.url} if flow.server else given


def spoken(answers: Answers) -> list[tuple[str, dict[str, Json]]]:
    """Every answer with the path it belongs to."""
    return [(path, said) for path, several in answers.items() for said in several]


def add_row(run_id: int, row: StepResult) -> None:
    """A row that an earlier life left behind."""
    values = {name: getattr(row, name) for name in ("path", "kind", "attempt", "output", "port", "reason", "error")}
    StepRun.objects.create(run_id=run_id, status=row.status, started_at=timezone.now(), **values)


def retried(first: Started) -> Started:
    """The run that retries a flow's run, which has ended."""
    flow = first.flow
    assert flow.retry is not None
    if flow.retry.definition is not None:
        store(first.workspace, flow.name, flow.retry.definition, number=2)
    given = None if flow.retry.inputs is None else inputs_of(flow, first.server, flow.retry.inputs)
    version = LATEST if flow.retry.definition is not None else "same"
    run = retry(first.caller, first.uid, Repeat(flow.retry.origin, version, given))
    said = spoken(flow.retry.answers)
    return replace(first, uid=run.uid, answers=said, signals=[], asked_before=len(first.server.requests))


def talk(several: list[Started], *, seconds: float = 40) -> None:
    """Say everything as soon as somebody listens."""
    deadline = time.monotonic() + seconds
    while not say(several) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    unheard = {one.flow.name: (one.answers, one.signals) for one in several if one.answers or one.signals}
    if unheard:
        raise AssertionError(f"Nobody listened to {unheard} within {seconds} s.")


def say(several: list[Started]) -> bool:
    """Say what somebody waits for now; True when nothing is left to be said."""
    for one in several:
        one.answers = unsaid(one.answers, lambda said: said[0], partial(is_answered, one))
        one.signals = unsaid(one.signals, listener, partial(is_sent, one))
    return not any(one.answers or one.signals for one in several)


def unsaid(said: list[T], place: Callable[[T], str | None], is_said: Callable[[T], bool]) -> list[T]:
    """Say everything in the order the flow wrote; what nobody listened to yet.

    What was not heard holds back what follows at its place: the row may be born between the two looks, and the
    second word would be said first.
    """
    left: list[T] = []
    for word in said:
        if any(place(word) == place(held) for held in left) or not is_said(word):
            left.append(word)
    return left


def listener(signal: SignalFile) -> str | None:
    """The path whose row a signal waits for."""
    return signal.when or signal.url_of


def is_answered(one: Started, answer_at: tuple[str, dict[str, Json]]) -> bool:
    """Answer the approval at a path, if it is there."""
    path, said = answer_at
    approval = Approval.objects.filter(run__uid=one.uid, path=path, state="pending").first()
    if approval is None:
        return False
    by, comment = system_caller(one.workspace.id, said.get("by", SOMEBODY)), said.get("comment", "")
    if approval.kind == ApprovalKind.UNKNOWN:
        answer(by, approval.id, said["state"], comment=comment, output=said.get("data"))
    elif said["state"] == "approved":
        approve(by, approval.id, comment=comment, data=said.get("data"))
    else:
        reject(by, approval.id, comment=comment)
    return True


def is_sent(one: Started, signal: SignalFile) -> bool:
    """Send a signal, if its time has come."""
    row = StepRun.objects.filter(run__uid=one.uid, path=signal.when or signal.url_of).first()
    if row is None:
        return False
    if signal.url_of is not None:
        url = (row.reason or {}).get("url") or (row.output or {}).get("url")
        if url is None:
            return False
        use_callback(url.rpartition("/")[2], payload=signal.payload)
        return True
    send(one.caller, one.uid, signal.name, payload=signal.payload)
    return True


def ended(one: Started, *, seconds: float = 40) -> Run:
    """The run when it has come to its end, and with it those it called."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run = Run.objects.select_related("data").get(uid=one.uid)
        if run.is_final and not run.children.filter(status__lt=RunStatus.SUCCEEDED).exists():
            return run
        time.sleep(PAUSE_SECONDS)
    raise AssertionError(f"{one.flow.name} is {RunStatus(run.status).word} after {seconds} s")


def observe(one: Started, run: Run) -> Observed:
    """What the rows say."""
    still = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    values = StateValue.objects.filter(still, workspace=one.workspace).values_list("key", "value")
    events = Event.objects.filter(workspace=one.workspace).order_by("created_at").values_list("name", "payload")
    children = run.children.select_related("data", "workflow")
    lines = RunLog.objects.filter(run=run).exclude(path="").order_by("seq")
    return Observed(
        status=RunStatus(run.status).word,
        output=run.data.output,
        error=run.data.error,
        steps={row.path: as_seen(row) for row in run.steps.all()},
        logs=[[line.path, line.level, line.message] for line in lines],
        response=run.data.response,
        requests=one.server.requests[one.asked_before :],
        values=dict(values),
        events=[[name, payload] for name, payload in events],
        children={
            str(child.called_by_path): {
                "workflow": child.workflow.name,
                "status": RunStatus(child.status).word,
                "output": child.data.output,
            }
            for child in children
        },
    )


def as_seen(row: StepRun) -> dict[str, Json]:
    """A row as flows look at it."""
    return {
        "status": StepStatus(row.status).word,
        "output": row.output,
        "port": row.port,
        "attempt": row.attempt,
        "reason": row.reason,
        "error": row.error,
        "kept": row.is_kept,
        "items": (row.output or {}).get("items") if row.kind == BATCH else None,
    }
