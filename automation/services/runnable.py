"""Runnable: what starting a run of a version needs, known in memory so that a start costs one round trip.

A version never changes, so what is kept about one is never stale. Which version is a workflow's current one, and
whether it may run at all, does change: both are kept here only as a guess, and the statement that inserts the run
decides (`store/start.py`). A guess that turned out wrong inserted nothing; `forget` it and look again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automation.engine.expressions import ExpressionError
from automation.engine.inputs import Inputs
from automation.engine.limits import Place, place_of
from automation.engine.plan import PlanError, build_plan
from automation.engine.planned import PlanSettings
from automation.models import Workflow, WorkflowVersion
from automation.services.limits import key_refused
from automation.steps import all_kinds
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem

MOST = 2000  # versions and workflows kept in memory, the longest unused go first


@dataclass(frozen=True, slots=True)
class Runnable:
    """A version ready to be started. `kinds` maps step ids to the kinds they use.

    `wants_response`: it has a `respond` step, so a waiting caller is answered by it.
    """

    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    number: str
    deadline_seconds: float | None
    settings: PlanSettings
    calls_on_failure: bool  # another workflow is to be started when a run of it fails
    inputs: Inputs
    kinds: Mapping[str, str]

    @property
    def wants_response(self) -> bool:
        """True when a step may answer the caller that waits."""
        return "respond" in self.kinds.values()

    def checked(self, inputs: Any, *, pointer: str = "/inputs") -> Any:
        """The inputs with defaults filled in. Raises InvalidInput with every refusal, pointers under `pointer`."""
        completed = self.inputs.complete(inputs)
        found = self.inputs.check(completed)
        if found:
            raise InvalidInput.from_problems(Problem(one.code, one.message, pointer + one.pointer) for one in found)
        return completed

    def place(self, inputs: Any, trigger: Any, **how: Any) -> Place:
        """Where a start with checked inputs goes (see `place_of`). Raises InvalidInput when its keys cannot be told."""
        try:
            return place_of(self.settings, self.workflow_id, inputs=inputs, trigger=trigger, **how)
        except ExpressionError as error:
            raise key_refused(error) from error


class _Shelf:
    """A small LRU that many request threads share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: OrderedDict[UUID, Runnable] = OrderedDict()

    def get(self, key: UUID) -> Runnable | None:
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
            return self._items.get(key)

    def put(self, key: UUID, value: Runnable) -> None:
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            while len(self._items) > MOST:
                self._items.popitem(last=False)

    def drop(self, key: UUID) -> None:
        with self._lock:
            self._items.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._items.clear()


_versions = _Shelf()  # version id: Runnable
_current = _Shelf()  # workflow id: Runnable of what was its current version when we last looked


def find(workflow_id: UUID, *, workspace_id: UUID, number: str | None = None) -> Runnable:
    """The version to start: the current one, or the one with this number."""
    if number is None:
        return runnable(workflow_id, workspace_id=workspace_id)
    return numbered(workflow_id, number, workspace_id=workspace_id)


def runnable(workflow_id: UUID, *, workspace_id: UUID | None = None) -> Runnable:
    """What is believed to be the workflow's current version. Without `workspace_id` the workflow may be anybody's.

    Raises NotFound, and Conflict when the workflow may not run now.
    """
    known = _current.get(workflow_id)
    if known is None:
        known = _look(workflow_id, workspace_id)
        _current.put(workflow_id, known)
    if workspace_id is not None and known.workspace_id != workspace_id:
        raise NotFound
    return known


def look_again(workflow_id: UUID, *, workspace_id: UUID) -> None:
    """After a start that inserted nothing: renew the guess. Raises NotFound or Conflict when that was the reason."""
    forget(workflow_id)
    runnable(workflow_id, workspace_id=workspace_id)


def numbered(workflow_id: UUID, number: str, *, workspace_id: UUID) -> Runnable:
    """One version of a workflow by its number. Raises NotFound, and InvalidInput when there is no such version."""
    rows = WorkflowVersion.objects.filter(workflow_id=workflow_id, workspace_id=workspace_id)
    version_id = rows.filter(number=number).values_list("id", flat=True).first()
    if version_id is None and not rows.exists():
        raise NotFound
    if version_id is None:
        said = f"The workflow has no version {number[:40]!r}. /workflows/{workflow_id}/versions lists them."
        raise InvalidInput(said, problems=[Problem("unknown_version", said, "/version")])
    return by_version(version_id)


def by_version(version_id: UUID) -> Runnable:
    """What is known about one version. Raises Conflict when this release cannot run it, NotFound when it is gone."""
    known = _versions.get(version_id)
    if known is None:
        version = WorkflowVersion.objects.filter(id=version_id).first()
        if version is None:
            raise NotFound
        known = _prepare(version)
        _versions.put(version_id, known)
    return known


def forget(workflow_id: UUID) -> None:
    """Look again at the next start. Every change made by this process does this; for the others the statement does."""
    _current.drop(workflow_id)


def forget_all() -> None:
    """Forget everything (for tests, and after a restored backup)."""
    _current.clear()
    _versions.clear()


def refuse_inactive(*, is_active: bool, is_archived: bool) -> None:
    """Raise Conflict unless a workflow in this state starts runs."""
    if is_archived:
        raise Conflict("The workflow is archived. Take it out of the archive to run it.", code="workflow_archived")
    if not is_active:
        raise Conflict("The workflow is switched off. Set is_active to true to run it.", code="workflow_inactive")


def _look(workflow_id: UUID, workspace_id: UUID | None) -> Runnable:
    rows = Workflow.objects.filter(id=workflow_id)
    if workspace_id is not None:
        rows = rows.filter(workspace_id=workspace_id)  # else the state of a foreign workflow would show
    found = rows.values_list("current_version_id", "is_active", "archived_at").first()
    if found is None:
        raise NotFound
    version_id, is_active, archived_at = found
    refuse_inactive(is_active=is_active, is_archived=archived_at is not None)
    return by_version(version_id)


def _prepare(version: WorkflowVersion) -> Runnable:
    try:
        plan = build_plan(version.definition, all_kinds())
    except PlanError as error:
        said = f"Version {version.number} cannot run in this release: {error} Save the workflow anew."
        raise Conflict(said, code="version_not_runnable") from error
    return Runnable(
        workspace_id=version.workspace_id,
        workflow_id=version.workflow_id,
        version_id=version.id,
        number=version.number,
        deadline_seconds=plan.settings.timeout_seconds,
        settings=plan.settings,
        calls_on_failure=plan.settings.on_failure is not None,
        inputs=plan.inputs,
        kinds={step.path: step.kind.key for step in plan.steps},
    )
