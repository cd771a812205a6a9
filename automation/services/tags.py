"""Tags of workflows: count them, rename one everywhere, take one off everywhere.

Tags are a part of a workflow's content, so each workflow that changes gets its next version and an entry in the audit
log, as if a person had changed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection

from automation.models import Workflow
from automation.services import bulk, bulk_workflows
from automation.services.bulk import Manner, Report
from automation.services.bulk_verbs import VERBS, Details, Verb
from automation.services.bulk_workflows import Order
from automation.store import tags as counting
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import scoped
from brainops.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and how many workflows have it."""

    name: str
    workflows: int
    not_archived: int


@dataclass(frozen=True, slots=True)
class TagPage:
    """Some tags in order; `has_more` follow."""

    tags: tuple[Tag, ...]
    has_more: bool


def count(caller: Caller, *, after: str = "", prefix: str = "", limit: int) -> TagPage:
    """The tags behind `after` in the order of their characters; `prefix` in any case of letters."""
    caller.require(Permission.WORKFLOWS_READ)
    with connection.cursor() as cursor:
        rows = counting.count_tags(cursor, caller.workspace(), after=after, prefix=prefix, limit=limit + 1)
    return TagPage(tuple(Tag(*row) for row in rows[:limit]), has_more=len(rows) > limit)


def rename(caller: Caller, old: str, new: str, *, manner: Manner) -> Report:
    """Call a tag otherwise on every workflow that has it; where both stand already, one is left.

    Raises NotFound when no workflow has it, InvalidInput for more workflows than a bulk request may change.
    """
    return _carry_out(caller, old, f"Renamed tag {old!r} to {new!r} of", partial(_renamed, old, new), manner)


def remove(caller: Caller, name: str, *, manner: Manner) -> Report:
    """Take a tag off every workflow. Raises as `rename` does."""
    return _carry_out(caller, name, f"Took tag {name!r} off", partial(_removed, name), manner)


@dataclass(frozen=True, slots=True)
class _TagOrder(Order):
    """An order whose verb is not one of a bulk request's."""

    deed: Verb = VERBS["untag"]

    @property
    def verb(self) -> Verb:
        """What is done."""
        return self.deed


def _carry_out(caller: Caller, name: str, said: str, judge: Any, manner: Manner) -> Report:
    caller.require(Permission.WORKFLOWS_UPDATE)
    ids = bulk.ids_of(scoped(Workflow.objects.filter(tags__contains=[name]), caller))
    if not ids:
        raise NotFound("No workflow has this tag.")
    order = _TagOrder(
        action="tag",
        ids=ids,
        details=Details(note=f"{said} all workflows."),
        states=dict.fromkeys(ids, "*"),  # what is meant is the tag, whatever else a workflow is
        manner=manner,
        deed=Verb(Permission.WORKFLOWS_UPDATE, "workflow.update", said, judge),
    )
    return bulk_workflows.carry_out(caller, order)


def _renamed(old: str, new: str, row: Workflow, _details: Details) -> Mapping[str, Any]:
    return _changed(row, [new if tag == old else tag for tag in row.tags])


def _removed(name: str, row: Workflow, _details: Details) -> Mapping[str, Any]:
    return _changed(row, [tag for tag in row.tags if tag != name])


def _changed(row: Workflow, tags: list[str]) -> Mapping[str, Any]:
    unique = list(dict.fromkeys(tags))
    return {} if unique == row.tags else {"tags": unique}
