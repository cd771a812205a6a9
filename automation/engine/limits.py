"""What the settings of a workflow say about a start: its queue, its limit, the starts it is gathered with. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automation.engine.expressions import Budget, Template
from automation.engine.expressions.json_text import to_text
from automation.engine.planned import PlanSettings

Json = Any

INTERACTIVE, DEFAULT, BULK = "interactive", "default", "bulk"
QUEUE, SKIP, CANCEL_OLD, FAIL = "queue", "skip", "cancel_old", "fail"
ORDERED = "in order:"  # how the value begins of a key whose runs go one after another, whatever the workflow says
LONGEST_VALUE = 200  # characters of a key's value that are kept as they are; a longer one is known by its hash


@dataclass(frozen=True, slots=True)
class Slot:
    """The limit that a run counts under, and what a start does that finds it full (see `settings.concurrency`)."""

    key: str  # <workflow id>:<value of the key>
    when_full: str = QUEUE
    queue_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Gathering:
    """The starts that are taken together (see `settings.debounce`)."""

    key: str  # <workflow id>:<value of the key>
    wait_seconds: float
    max_wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a start goes. Without a slot and a gathering it is ready at once."""

    queue: str = DEFAULT
    priority: int = 5
    slot: Slot | None = None
    gathering: Gathering | None = None


def place_of(
    settings: PlanSettings,
    workflow_id: UUID,
    *,
    inputs: Json,
    trigger: Json,
    is_awaited: bool = False,
    queue: str | None = None,
    may_gather: bool = True,
) -> Place:
    """Where a start with these inputs goes. Raises ExpressionError when a key cannot be evaluated.

    `is_awaited`: somebody waits for its answer. `queue` is where what starts it would put it; the settings win.
    A start that `may_gather` not is never taken together with others: somebody asked for this very run.
    """
    scope = {"inputs": inputs, "trigger": trigger}
    limit, debounce = settings.concurrency, settings.debounce
    slot = gathering = None
    if limit is not None:
        slot = Slot(_key(workflow_id, limit.key, scope), limit.when_full, limit.queue_limit)
    if debounce is not None and may_gather:
        key = _key(workflow_id, debounce.key, scope)
        gathering = Gathering(key, debounce.wait_seconds, debounce.max_wait_seconds)
    usual = queue or (INTERACTIVE if is_awaited else DEFAULT)
    return Place(settings.queue or usual, settings.priority, slot, gathering)


def ordered_slot(workflow_id: UUID, owner: str, order_by: Template, *, inputs: Json, trigger: Json) -> Slot:
    """The slot of a start that has to wait for earlier ones of its own key. Raises ExpressionError.

    `owner` is who keeps the order: keys of two of them never meet.
    """
    value = _key(workflow_id, order_by, {"inputs": inputs, "trigger": trigger}).partition(":")[2]
    return Slot(f"{workflow_id}:{ORDERED}{owner}:{value}")


def _key(workflow_id: UUID, template: Template | None, scope: Mapping[str, Json]) -> str:
    """The key of a start; keys of different workflows never meet."""
    if template is None:
        return f"{workflow_id}:"
    budget = Budget()
    value = to_text(template.evaluate(scope, budget), budget).replace("\x00", "\ufffd")  # no column holds the former
    if len(value) > LONGEST_VALUE or value.startswith(ORDERED):
        value = f"sha256-{hashlib.sha256(value.encode(errors='surrogatepass')).hexdigest()}"
    return f"{workflow_id}:{value}"
