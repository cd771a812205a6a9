"""Events on their way to triggers: which are due, and what became of each. One deliverer at a time keeps the order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

_DELIVERERS_LOCK = 0x07E13  # advisory, for the transaction

ALONE = "select pg_try_advisory_xact_lock(%s)"

CONFIGS = """
select id, workspace_id, config::text from automation_trigger where id = any(%(ids)s) and kind = 'event' and is_active
"""

# A trigger that was deleted meanwhile gets nothing.
ADD = """
insert into automation_eventdelivery (workspace_id, event_id, trigger_id, position, state, code, reason)
select t.workspace_id, u.event_id, u.trigger_id, u.position, u.state, u.code, u.reason
from unnest(%(events)s::uuid[], %(triggers)s::uuid[], %(positions)s::bigint[], %(states)s::text[], %(codes)s::text[],
            %(reasons)s::text[]) as u(event_id, trigger_id, position, state, code, reason)
join automation_trigger t on t.id = u.trigger_id
on conflict (event_id, trigger_id) do nothing
"""

DUE = """
select id, event_id, trigger_id, attempts, repeats from automation_eventdelivery
where state = 'pending' and next_at <= statement_timestamp() order by next_at, position limit %(most)s
"""

HAS_DUE = """
select exists (select from automation_eventdelivery where state = 'pending' and next_at <= statement_timestamp())
"""

STANDING = """
select 'pending', count(*) from automation_eventdelivery where state = 'pending'
union all
select 'dead', count(*) from automation_eventdelivery where state = 'dead' and created_at > now() - interval '1 day'
"""

SETTLE = """
update automation_eventdelivery d
set state = u.state, code = u.code, reason = u.reason, run_uid = u.run_uid, attempts = d.attempts + 1,
    next_at = now() + make_interval(secs => u.pause), updated_at = now()
from unnest(%(ids)s::uuid[], %(states)s::text[], %(codes)s::text[], %(reasons)s::text[], %(runs)s::uuid[],
            %(pauses)s::float8[]) as u(id, state, code, reason, run_uid, pause)
where d.id = u.id and d.state = 'pending'
"""


@dataclass(frozen=True, slots=True)
class Addressed:
    """An event on its way to a trigger; `state` is pending, or dead with the reason."""

    event_id: UUID
    trigger_id: UUID
    position: int
    state: str = "pending"
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery to be made. `attempts` were made since somebody asked for it, `repeats` counts who asked again."""

    id: UUID
    event_id: UUID
    trigger_id: UUID
    attempts: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a delivery. One that stays pending is tried again after `pause_seconds`."""

    id: UUID
    state: str
    code: str = ""
    reason: str = ""
    run_uid: UUID | None = None
    pause_seconds: float = 0.0


def configs(cursor: Any, trigger_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, dict[str, Any]]]:
    """`(workspace, config)` of those of the triggers that listen."""
    cursor.execute(CONFIGS, {"ids": list(trigger_ids)})
    return {id_: (workspace_id, orjson.loads(config)) for id_, workspace_id, config in cursor.fetchall()}


def add(cursor: Any, addressed: Sequence[Addressed]) -> None:
    """Write what is to be delivered; what stands already stays as it is."""
    given = {
        "events": [one.event_id for one in addressed],
        "triggers": [one.trigger_id for one in addressed],
        "positions": [one.position for one in addressed],
        "states": [one.state for one in addressed],
        "codes": [one.code for one in addressed],
        "reasons": [one.reason for one in addressed],
    }
    cursor.execute(ADD, given)


def due(cursor: Any, *, most: int) -> list[Due]:
    """What is to be delivered now, in its order; nothing while somebody else delivers."""
    cursor.execute(ALONE, (_DELIVERERS_LOCK,))
    if not cursor.fetchone()[0]:
        return []
    cursor.execute(DUE, {"most": most})
    return [Due(*row) for row in cursor.fetchall()]


def has_due(cursor: Any) -> bool:
    """True when something is to be delivered now."""
    cursor.execute(HAS_DUE)
    return bool(cursor.fetchone()[0])


def standing(cursor: Any) -> dict[str, int]:
    """How many are to be delivered, and how many were given up within a day, by state."""
    cursor.execute(STANDING)
    return dict(cursor.fetchall())


def settle(cursor: Any, settled: Sequence[Settled]) -> None:
    """Write what became of deliveries."""
    given = {
        "ids": [one.id for one in settled],
        "states": [one.state for one in settled],
        "codes": [one.code for one in settled],
        "reasons": [one.reason for one in settled],
        "runs": [one.run_uid for one in settled],
        "pauses": [one.pause_seconds for one in settled],
    }
    cursor.execute(SETTLE, given)
