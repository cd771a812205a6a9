"""Decide what an import does with each workflow. Nothing is written here: a dry run is this and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import UUID

from automation.engine import retention
from automation.engine.checker import Checker
from automation.engine.document.parse import parse_document
from automation.engine.mentions import mentions
from automation.engine.renaming import renamed
from automation.models import Secret, Trigger, Variable, Workflow, WorkflowVersion
from automation.services import documents, versions
from automation.services.exchange import merging
from automation.services.exchange.calls import Calls
from automation.services.exchange.plans import Action, NewVersion, Options, Plan, Stored, Strategy
from automation.services.exchange.reading import Piece
from automation.services.exchange.survey import Entry, Survey
from automation.services.exchange.triggers import read_triggers, secrets_in
from automation.services.field_checks import problems
from automation.services.triggers import MOST_TRIGGERS
from automation.services.version_numbers import FIRST, next_number
from automation.services.workflow_drafts import FIELDS
from automation.steps import all_kinds
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.core.errors import Problem

Json = Any

MOST_REASONS = 50  # of one workflow; a person repairs the first ones and asks again
_NAMING = (b"vars", b"secrets", b"connection")  # without one of these a document names nothing of the workspace
_RETENTION = Checker(FIELDS["retention"])


class Planner:
    """Plans the workflows of one file for one caller."""

    def __init__(self, caller: Caller, survey: Survey, options: Options) -> None:
        self._caller = caller
        self._survey = survey
        self._options = options
        self._calls = Calls(caller.workspace(), survey, dict(options.mapping.get("workflows", {})))
        self._known = _known_names(caller.workspace())

    def plan(self, pieces: Sequence[Piece], *, lock: bool = False) -> list[Plan]:
        """The plans of some workflows; a fixed number of queries. `lock` keeps others from changing what is there."""
        entries = [self._survey.entries[piece.index] for piece in pieces]
        self._calls.load(entries)
        stored = _stored([entry.target for entry in entries if entry.target], self._caller.workspace(), lock=lock)
        return [
            self._plan(piece, entry, stored.get(entry.target) if entry.target else None)
            for piece, entry in zip(pieces, entries, strict=True)
        ]

    def _plan(self, piece: Piece, entry: Entry, stored: Stored | None) -> Plan:
        plan = Plan(entry, Action.CREATE, notes=list(piece.ignored), stored=stored)
        if piece.problems or piece.value is None:
            return _ended(plan, Action.REFUSED, piece.problems)
        if entry.conflict:
            return _ended(plan, Action.CONFLICT, [entry.conflict])
        if entry.target and stored is None:
            said = f"The workflow {entry.name!r} was deleted while the import ran. Import the file again."
            return _ended(plan, Action.CONFLICT, [Problem("deleted_meanwhile", said, piece.pointer)])
        value = self._renamed(piece.value, entry)
        found = list(self._refusals(value, piece, entry))
        if self._options.with_triggers and value.get("triggers"):
            plan.notes += secrets_in(value["triggers"], piece.pointer)
            plan.triggers, bad = read_triggers(value["triggers"], None if found else value["definition"], piece.pointer)
            found += bad
        plan.missing = self._missing(value)
        if found:
            return _ended(plan, Action.REFUSED, found)
        owner_id = stored.row.owner_id if stored else self._caller.user_id
        self._leave_out_triggers(plan, owner_id)
        return self._change(plan, value, stored) if stored else self._creation(plan, value)

    def _creation(self, plan: Plan, value: Mapping[str, Json]) -> Plan:
        plan.versions = [*self._history(value), _version(value, value.get("version") or _after_history(value))]
        is_active = self._options.activate and bool(value.get("is_active", True))
        plan.values = {**merging.content(value), "retention": value.get("retention"), "is_active": is_active}
        plan.values["is_archived"] = bool(value.get("is_archived", False))
        return plan

    def _change(self, plan: Plan, value: Mapping[str, Json], stored: Stored) -> Plan:
        row = stored.row
        wanted = merging.wanted(self._options.strategy, value, row)
        new = self._history(value)
        fresh = merging.newer(stored, [*new, _version(value, value.get("version") or _after_history(value))])
        if fresh:  # the file is what this workflow was, and what came after
            wanted = merging.content(value)
        old = merging.content_of(row)
        plan.values = {name: kept for name, kept in wanted.items() if not merging.is_same(kept, old[name])}
        self._change_switches(plan, value, row)
        if self._options.with_triggers and "triggers" in value and plan.may_have_triggers:
            plan.triggers, plan.gone = merging.triggers(self._options.strategy, plan.triggers, stored.triggers)
            self._keep_triggers(plan, row.owner_id)
        if len(stored.triggers) - len(plan.gone) + len(plan.triggers) > MOST_TRIGGERS:
            said = f"The workflow {row.name!r} would have more than {MOST_TRIGGERS} triggers. Delete some first."
            return _ended(plan, Action.CONFLICT, [Problem("too_many_triggers", said, f"/workflows/{plan.entry.index}")])
        if not (plan.values or plan.triggers or plan.gone):
            plan.action, plan.triggers, plan.gone = Action.UNCHANGED, [], []
            return plan
        if self._options.strategy is Strategy.SKIP:
            said = f"A workflow named {row.name!r} is here already, and stays as it is."
            return _ended(plan, Action.SKIP, [Problem("exists", said, f"/workflows/{plan.entry.index}")])
        if not self._caller.may(Permission.WORKFLOWS_UPDATE, created_by=row.owner_id):
            said = f"You may not change the workflow {row.name!r}: it takes {Permission.WORKFLOWS_UPDATE}."
            return _ended(plan, Action.REFUSED, [Problem("permission_denied", said, f"/workflows/{plan.entry.index}")])
        plan.action = Action.UPDATE
        if versions.differ(old, {**old, **plan.values}):
            plan.versions = fresh or [_on_top(value, wanted, row)]
        return plan

    def _change_switches(self, plan: Plan, value: Mapping[str, Json], row: Workflow) -> None:
        is_replaced = self._options.strategy is not Strategy.MERGE and "retention" in value
        if (is_replaced or value.get("retention")) and value.get("retention") != row.retention:
            plan.values["retention"] = value["retention"]
        if self._options.activate and value.get("is_active", True) and not row.is_active:
            plan.values["is_active"] = True

    def _leave_out_triggers(self, plan: Plan, owner_id: UUID | None) -> None:
        """Take the triggers out when the caller may not make any, and say so."""
        if plan.triggers and not self._caller.may(Permission.TRIGGERS_CREATE, created_by=owner_id):
            said = f"The triggers were left out: they take {Permission.TRIGGERS_CREATE}."
            plan.notes.append(Problem("permission_denied", said, f"/workflows/{plan.entry.index}/triggers"))
            plan.triggers, plan.may_have_triggers = [], False

    def _keep_triggers(self, plan: Plan, owner_id: UUID | None) -> None:
        """Let the triggers stay that the caller may not delete, and say so."""
        if plan.gone and not self._caller.may(Permission.TRIGGERS_DELETE, created_by=owner_id):
            said = f"{len(plan.gone)} triggers that are not in the file stay: it takes {Permission.TRIGGERS_DELETE}."
            plan.notes.append(Problem("permission_denied", said, f"/workflows/{plan.entry.index}/triggers"))
            plan.gone = []

    def _history(self, value: Mapping[str, Json]) -> list[NewVersion]:
        if not self._options.with_history:
            return []
        return [_version(one, one["number"]) for one in value.get("history", ())]

    def _renamed(self, value: dict[str, Json], entry: Entry) -> dict[str, Json]:
        """The workflow with the names that things have here, in each of its versions."""
        names = replace(self._options.renaming, calls=self._calls.new_names(entry))
        if not names:
            return value
        kinds = all_kinds()
        history = [{**one, "definition": renamed(one["definition"], names, kinds)} for one in value.get("history", ())]
        changed = {**value, "definition": renamed(value["definition"], names, kinds)}
        return {**changed, "history": history} if history else changed

    def _refusals(self, value: Mapping[str, Json], piece: Piece, entry: Entry) -> Iterator[Problem]:
        at = piece.pointer
        yield from documents.refusals(value["definition"], base=f"{at}/definition")
        if self._options.with_history:
            for index, one in enumerate(value.get("history", ())):
                yield from documents.refusals(one["definition"], base=f"{at}/history/{index}/definition")
            yield from _number_refusals(value, at)
        for missing in self._calls.missing(entry):
            said = f"Neither the file nor this workspace has the workflow {missing!r}, which it calls."
            yield Problem("unknown_workflow", said, f"{at}/definition")
        circle = self._calls.circle(entry)
        if circle is not None:
            yield circle
        yield from _retention_refusals(value, at)

    def _missing(self, value: Mapping[str, Json]) -> dict[str, list[str]]:
        """What the newest version needs and is not here; it is imported all the same, switched off."""
        definition, kinds = value["definition"], all_kinds()
        used = {step.uses for step in parse_document(definition).steps() if step.uses}
        found = {"kinds": sorted(used - set(kinds))}
        text = documents.canonical(definition)
        if not any(word in text for word in _NAMING):  # most documents: reading every expression costs a millisecond
            return {sort: names for sort, names in found.items() if names}
        named = mentions(definition, kinds)
        found |= {
            "connections": [name for name in named.names("connections") if name not in self._known["connections"]],
            "variables": [name for name in named.names("vars") if name not in self._known["variables"]],
            "secrets": [name for name in named.names("secrets") if name not in self._known["secrets"]],
        }
        return {sort: names for sort, names in found.items() if names}


def _ended(plan: Plan, action: Action, reasons: Sequence[Problem]) -> Plan:
    """The plan that does nothing, and why."""
    told = list(reasons[:MOST_REASONS])
    if len(reasons) > MOST_REASONS:
        more = f"There are {len(reasons) - MOST_REASONS} more. Repair these and import again."
        told.append(Problem("more_problems", more, f"/workflows/{plan.entry.index}"))
    return Plan(plan.entry, action, told, plan.notes, plan.missing, stored=plan.stored)


def _version(told: Mapping[str, Json], number: str) -> NewVersion:
    checksum = documents.checksum(told["definition"])
    return NewVersion(number, merging.content(told), checksum, told.get("note", ""), _facts(told))


def _on_top(value: Mapping[str, Json], wanted: Mapping[str, Json], row: Workflow) -> NewVersion:
    """The version above the present one: with the file's own number where that is higher."""
    told = value.get("version")
    number = told if told and merging.parts(told) > merging.parts(row.version) else next_number(row.version)
    facts = _facts(value)
    if told and told != number:
        facts = {**(facts or {}), "number": told}
    checksum = documents.checksum(wanted["definition"])
    return NewVersion(number, wanted, checksum, value.get("note") or "Imported.", facts)


def _facts(one: Mapping[str, Json]) -> dict[str, Json] | None:
    """What the file says about the making of a version: told as it is, and never taken for ours."""
    return {name: one[name] for name in ("author", "created_at") if one.get(name)} or None


def _after_history(value: Mapping[str, Json]) -> str:
    history = value.get("history", ())
    return next_number(history[-1]["number"]) if history else FIRST


def _number_refusals(value: Mapping[str, Json], at: str) -> Iterator[Problem]:
    """Numbers have to rise, else the next save would find its number taken."""
    history = value.get("history", ())
    numbers = [(one["number"], f"{at}/history/{index}/number") for index, one in enumerate(history)]
    if value.get("version"):
        numbers.append((value["version"], f"{at}/version"))
    for (before, _), (number, pointer) in pairwise(numbers):
        if merging.parts(number) <= merging.parts(before):
            said = f"Version {number} comes after {before}, so its number must be higher."
            yield Problem("version_order", said, pointer)


def _retention_refusals(value: Mapping[str, Json], at: str) -> Iterator[Problem]:
    rule = value.get("retention")
    if rule is None:
        return
    found = list(problems(_RETENTION, rule))
    for problem in found:
        yield Problem(problem.code, problem.message, f"{at}/retention{problem.pointer}")
    if not found:
        for pointer, said in retention.refusals(rule):
            yield Problem("invalid_retention", said, f"{at}/retention{pointer}")


def _known_names(workspace_id: UUID) -> dict[str, frozenset[str]]:
    """The names that documents may use here. No workspace has connections yet."""
    variables = Variable.objects.filter(workspace_id=workspace_id).values_list("name", flat=True)
    secrets = Secret.objects.filter(workspace_id=workspace_id).values_list("name", flat=True)
    return {"connections": frozenset(), "variables": frozenset(variables), "secrets": frozenset(secrets)}


def _stored(ids: Sequence[UUID], workspace_id: UUID, *, lock: bool) -> dict[UUID, Stored]:
    rows = Workflow.objects.filter(id__in=ids, workspace_id=workspace_id).order_by("id")
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    found = {row.id: row for row in rows}
    known: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    newest: dict[UUID, int] = defaultdict(int)
    numbers = WorkflowVersion.objects.filter(workflow_id__in=list(found)).order_by("workflow_id", "ordinal")
    for id_, number, checksum, ordinal in numbers.values_list("workflow_id", "number", "checksum", "ordinal"):
        known[id_].append((number, checksum))
        newest[id_] = ordinal
    triggers: dict[UUID, list[Trigger]] = defaultdict(list)
    present = Trigger.objects.filter(workflow_id__in=list(found)).order_by("created_at", "id")
    for trigger in present.select_for_update(of=("self",)) if lock else present:
        triggers[trigger.workflow_id].append(trigger)
    return {id_: Stored(row, known[id_], newest[id_], triggers[id_]) for id_, row in found.items()}
