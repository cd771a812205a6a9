"""How triggers are doing: the last things that came, the last runs, and counts, for many triggers at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

# Of each trigger the newest rows, each through an index; test runs say nothing about it.
FACTS = """
select t.id,
       a.created_at, a.decision, a.reason,
       f.created_at, f.slot, f.decision, f.reason,
       r.uid, r.status, r.created_at, r.finished_at, left(d.error ->> 'message', 500),
       s.next_at, s.leased_until > statement_timestamp(), s.last_polled_at, s.last_error, s.last_error_code,
       s.failing_since, s.waits_for, s.waits_since, m.kind, m.reason, m.since
from unnest(%(ids)s::uuid[]) as t(id)
left join automation_source s on s.trigger_id = t.id
left join lateral (select created_at, decision, reason from automation_arrival x where x.trigger_id = t.id
                   order by created_at desc, id desc limit 1) a on true
left join lateral (select created_at, slot, decision, reason from automation_firing x where x.trigger_id = t.id
                   order by slot desc limit 1) f on true
left join lateral (select id, uid, status, created_at, finished_at from automation_run x
                   where x.trigger_id = t.id and x.mode <> 3 order by id desc limit 1) r on true
left join lateral (select kind, reason, since from automation_schedulealarm x where x.trigger_id = t.id
                   order by since limit 1) m on true
left join automation_rundata d on d.run_id = r.id and r.status > 50
"""

ARRIVED = """
select trigger_id, decision, count(*) from automation_arrival
where trigger_id = any(%(ids)s) and created_at > statement_timestamp() - interval '24 hours' group by 1, 2
"""

FIRED = """
select trigger_id, decision, count(*) from automation_firing
where trigger_id = any(%(ids)s) and slot > statement_timestamp() - interval '24 hours' group by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows say about one trigger; None for what never was."""

    trigger_id: UUID
    arrived_at: datetime | None
    arrival: int | None
    arrival_reason: str | None
    fired_at: datetime | None
    slot: datetime | None
    firing: int | None
    firing_reason: str | None
    run_uid: UUID | None
    run_status: int | None
    run_created_at: datetime | None
    run_finished_at: datetime | None
    run_error: str | None
    looks_at: datetime | None
    is_looking: bool | None
    looked_at: datetime | None
    error: str | None
    error_code: str | None
    failing_since: datetime | None
    waits_for: str | None
    waits_since: datetime | None
    alarm: str | None
    alarm_reason: str | None
    alarm_since: datetime | None


def facts(cursor: Any, trigger_ids: Collection[UUID]) -> dict[UUID, Facts]:
    """The newest rows of some triggers."""
    cursor.execute(FACTS, {"ids": list(trigger_ids)})
    return {row[0]: Facts(*row) for row in cursor.fetchall()}


def arrived(cursor: Any, trigger_ids: Collection[UUID]) -> dict[UUID, dict[int, int]]:
    """How many arrivals of the last 24 hours became what."""
    return _counts(cursor, ARRIVED, trigger_ids)


def fired(cursor: Any, trigger_ids: Collection[UUID]) -> dict[UUID, dict[int, int]]:
    """How many slots of the last 24 hours became what."""
    return _counts(cursor, FIRED, trigger_ids)


def _counts(cursor: Any, statement: str, trigger_ids: Collection[UUID]) -> dict[UUID, dict[int, int]]:
    cursor.execute(statement, {"ids": list(trigger_ids)})
    found: dict[UUID, dict[int, int]] = {}
    for trigger_id, decision, count in cursor.fetchall():
        found.setdefault(trigger_id, {})[decision] = count
    return found
