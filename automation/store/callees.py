"""Callees: which workflow a call means, and whether this run may call it now.

Steps and failure handlers name a workflow by its id or its name, in their own workspace only.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import orjson
from django.conf import settings

from automation.engine.commands import CommandRefused
from automation.engine.inputs import Inputs
from automation.engine.plan import PlanError, PlanSettings, build_plan
from automation.steps import all_kinds

Json = Any
LATEST = "latest"
MOST_KEPT = 500  # versions in memory: they never change

# A name that a workflow took over from an archived one means the living.
FIND = """
select w.id, w.name, w.is_active, w.archived_at is not null, w.current_version_id
from automation_workflow w
where w.workspace_id = %(workspace)s and (w.id = %(id)s or w.name = %(name)s)
order by w.id = %(id)s desc nulls last, w.archived_at is not null, w.created_at limit 3
"""

FIND_VERSION = "select id from automation_workflowversion where workflow_id = %s and number = %s"

DEFINITION = "select definition::text from automation_workflowversion where id = %s"

# The calls above a run, itself last: each with the step that made the next call.
CHAIN = """
with recursive chain(id, workflow_id, called_by_run_id, called_by_path, above) as (
  select id, workflow_id, called_by_run_id, called_by_path, 0 from automation_run where id = %(run)s
  union all
  select r.id, r.workflow_id, r.called_by_run_id, r.called_by_path, c.above + 1
  from chain c join automation_run r on r.id = c.called_by_run_id where c.above < %(most)s)
select c.workflow_id, w.name, coalesce(lag(c.called_by_path) over (order by c.above), %(path)s)
from chain c join automation_workflow w on w.id = c.workflow_id order by c.above desc
"""


class Caller(Protocol):
    """What is asked about the step that calls: its run, the run's workspace, its path."""

    @property
    def run_id(self) -> int: ...

    @property
    def path(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Callee:
    """A version that a call starts. `is_pinned`: it was asked for by its number."""

    workflow_id: UUID
    name: str
    version_id: UUID
    is_pinned: bool
    inputs: Inputs
    settings: PlanSettings

    def checked(self, inputs: Mapping[str, Json]) -> Json:
        """The inputs with defaults filled in. Raises CommandRefused with everything that is wrong with them."""
        completed = self.inputs.complete(dict(inputs))
        found = self.inputs.check(completed)
        if found:
            said = " ".join(problem.message for problem in found)
            problems = [{"code": one.code, "message": one.message, "pointer": one.pointer} for one in found]
            raise CommandRefused("invalid_inputs", f"The workflow {self.name!r} refuses: {said}", problems=problems)
        return completed


def find_callee(cursor: Any, workspace_id: UUID, workflow: str, version: str = LATEST) -> Callee:
    """The version that `workflow` (an id or a name) means here. Raises CommandRefused unless it may run now."""
    cursor.execute(FIND, {"workspace": workspace_id, "id": _id(workflow), "name": workflow})
    found = cursor.fetchall()
    if not found:
        raise CommandRefused("unknown_workflow", f"This workspace has no workflow {workflow!r}. Correct the name.")
    workflow_id, name, is_active, is_archived, current_id = found[0]
    living = [row for row in found if not row[3]]
    if len(living) > 1 and str(workflow_id) != workflow:
        said = f"Several workflows are named {workflow!r}. Write the id of one, such as {str(workflow_id)!r}."
        raise CommandRefused("ambiguous_workflow", said)
    if is_archived or not is_active:
        how = "archived. Take it out of the archive" if is_archived else "switched off. Switch it on"
        code = "workflow_archived" if is_archived else "workflow_inactive"
        raise CommandRefused(code, f"The workflow {name!r} is {how} to call it.")
    version_id = current_id if version == LATEST else _version(cursor, workflow_id, name, version)
    inputs, plan_settings = _known.get(cursor, version_id, name)
    return Callee(workflow_id, name, version_id, version != LATEST, inputs, plan_settings)


def check_depth(depth: int) -> None:
    """Raise CommandRefused when `depth` calls one in another are too many."""
    most = settings.BRAINOPS_LIMITS["call_depth"]
    if depth > most:
        said = (
            f"At most {most} calls may stand one in another (BRAINOPS_LIMIT_CALL_DEPTH); this would be number {depth}."
        )
        raise CommandRefused("calls_too_deep", said)


def refuse_cycle(cursor: Any, caller: Caller, callee: Callee) -> None:
    """Raise CommandRefused when a run of the callee stands above the calling step; names the way round."""
    most = settings.BRAINOPS_LIMITS["call_depth"]
    cursor.execute(CHAIN, {"run": caller.run_id, "path": caller.path, "most": most})
    chain = cursor.fetchall()
    if callee.workflow_id not in [workflow_id for workflow_id, _, _ in chain]:
        return
    way = " → ".join(f'"{name}" step "{path.partition("#")[0]}"' for _, name, path in chain)
    said = f'The calls go round in a circle: {way} → "{callee.name}". Call another workflow, or use a loop.'
    raise CommandRefused("call_cycle", said)


def _version(cursor: Any, workflow_id: UUID, name: str, number: str) -> UUID:
    cursor.execute(FIND_VERSION, (workflow_id, number))
    row = cursor.fetchone()
    if row is None:
        raise CommandRefused("unknown_version", f"The workflow {name!r} has no version {number!r}.")
    return UUID(str(row[0]))


def _id(workflow: str) -> UUID | None:
    try:
        return UUID(workflow)
    except ValueError:
        return None


class _Known:
    """What calls need of the versions called lately. Shared by the step threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: OrderedDict[UUID, tuple[Inputs, PlanSettings]] = OrderedDict()

    def get(self, cursor: Any, version_id: UUID, name: str) -> tuple[Inputs, PlanSettings]:
        with self._lock:
            if version_id in self._items:
                self._items.move_to_end(version_id)
                return self._items[version_id]
        planned = _planned(cursor, version_id, name)
        with self._lock:
            self._items[version_id] = planned
            while len(self._items) > MOST_KEPT:
                self._items.popitem(last=False)
        return planned


_known = _Known()


def _planned(cursor: Any, version_id: UUID, name: str) -> tuple[Inputs, PlanSettings]:
    cursor.execute(DEFINITION, (version_id,))
    (definition,) = cursor.fetchone()
    try:
        plan = build_plan(orjson.loads(definition), all_kinds())
    except PlanError as error:
        said = f"The version of {name!r} cannot run in this release: {error} Save the workflow anew."
        raise CommandRefused("version_not_runnable", said) from error
    return plan.inputs, plan.settings
