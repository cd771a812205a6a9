"""What the page of one workflow shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.looks.states import Look, workflow_look
from automation.looks.wording import pretty
from automation.models import Run, Trigger, Workflow, WorkflowVersion
from automation.services import statistics, triggers
from automation.services.statistics import RecentRun
from automation.triggers import all_trigger_kinds

SHOWN_VERSIONS = 20
SHOWN_RUNS = 10

Json = Any


@dataclass(frozen=True, slots=True)
class TriggerLine:
    """One trigger of the workflow, with what its kind says about it."""

    trigger: Trigger
    title: str
    icon: str
    details: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """Everything on the page."""

    workflow: Workflow
    look: Look
    definition: str
    step_count: int
    versions: list[WorkflowVersion]
    triggers: list[TriggerLine]
    runs: list[Run]
    recent: list[RecentRun]
    runs_in_a_day: int


def read(workflow: Workflow) -> WorkflowView:
    """Read everything beside the workflow: a fixed number of queries."""
    rows = list(workflow.triggers.order_by("created_at"))
    details = triggers.described(rows)
    versions = (
        WorkflowVersion.objects.filter(workflow=workflow).select_related("author").defer("definition", "meta_data")
    )
    runs = Run.objects.filter(workflow=workflow).select_related("version", "trigger")
    return WorkflowView(
        workflow=workflow,
        look=workflow_look(is_active=workflow.is_active, is_archived=workflow.archived_at is not None),
        definition=pretty(in_order(workflow.definition)),
        step_count=len(workflow.definition.get("steps", [])),
        versions=list(versions[:SHOWN_VERSIONS]),
        triggers=[_line(row, details.get(row.id, {})) for row in rows],
        runs=list(runs.only(*_RUN_COLUMNS)[:SHOWN_RUNS]),
        recent=statistics.recent_runs([workflow.id]).get(workflow.id, []),
        runs_in_a_day=statistics.run_counts([workflow.id]).get(workflow.id, 0),
    )


def in_order(definition: Mapping[str, Json]) -> dict[str, Json]:
    """The document with its members in the order people write them; the database does not keep any."""
    ordered = _sorted(definition, _DOCUMENT)
    if isinstance(steps := ordered.get("steps"), list):
        ordered["steps"] = [_sorted(step, _STEP) if isinstance(step, dict) else step for step in steps]
    return ordered


def _sorted(members: Mapping[str, Json], known: tuple[str, ...]) -> dict[str, Json]:
    rank = {name: place for place, name in enumerate(known)}
    return dict(sorted(members.items(), key=lambda member: (rank.get(member[0], len(known)), member[0])))


def sample_inputs(definition: Mapping[str, Json]) -> str:
    """Inputs to begin with: declared defaults, and the first example or an empty place for what is required."""
    declared = definition.get("inputs", {})
    properties = declared.get("properties", {})
    wanted = {
        name: rule["default"] for name, rule in properties.items() if isinstance(rule, dict) and "default" in rule
    }
    for name in declared.get("required", []):
        rule = properties.get(name, {})
        examples = rule.get("examples") or [_EMPTY.get(str(rule.get("type")), "")]
        wanted.setdefault(name, examples[0])
    return pretty(wanted)


def _line(trigger: Trigger, details: Mapping[str, Json]) -> TriggerLine:
    kind = all_trigger_kinds().get(trigger.kind)
    if kind is None:
        return TriggerLine(trigger, trigger.kind, "help", {})
    return TriggerLine(trigger, kind.title, kind.icon, details.get(trigger.kind, {}))


_DOCUMENT = ("schema", "inputs", "steps", "output", "settings")
_STEP = ("id", "name", "uses", "connection", "needs", "join", "if", "with", "for_each", "retry", "timeout", "on_error")
_EMPTY: dict[str, Json] = {"integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
_RUN_COLUMNS = (
    *("uid", "workflow_id", "status", "wait_kind", "created_at", "started_at", "finished_at"),
    *("version__number", "trigger__kind"),
)
