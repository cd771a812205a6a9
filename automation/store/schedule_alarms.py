"""Alarms of schedules that should have run: raised and ended together with what is told of it. Each once.

All on the caller's transaction. Without an active notice rule in the workspace nothing is noted to be told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from automation.store.firings import Decided

IN_A_ROW = 3  # slots that did not run, one after the other
_LISTENED = "where exists (select from automation_noticerule n where n.workspace_id = t.workspace_id and n.is_active)"

# two processes may get here: the row says who was first
RAISE = f"""
with raised as (
  insert into automation_schedulealarm (trigger_id, kind, since, reason)
  select * from unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[])
  on conflict (trigger_id, kind) do nothing returning trigger_id, kind, since, reason)
insert into automation_noticecause (kind, workspace_id, workflow_id, trigger_id, about)
select 'did_not_run', t.workspace_id, t.workflow_id, t.id,
       jsonb_build_object('name', t.name, 'kind', r.kind, 'since', r.since, 'reason', r.reason)
from raised r join automation_trigger t on t.id = r.trigger_id
{_LISTENED}
"""

END = f"""
with ended as (
  delete from automation_schedulealarm where trigger_id = any(%s) and kind = %s
  returning trigger_id, kind, since)
insert into automation_noticecause (kind, workspace_id, workflow_id, trigger_id, about)
select 'runs_again', t.workspace_id, t.workflow_id, t.id,
       jsonb_build_object('name', t.name, 'kind', e.kind, 'since', e.since, 'reason', '')
from ended e join automation_trigger t on t.id = e.trigger_id
{_LISTENED}
"""

# Of what was switched off nobody waits for a slot; nothing is told.
FORGET = """
delete from automation_schedulealarm a using automation_trigger t join automation_workflow w on w.id = t.workflow_id
where t.id = a.trigger_id
  and (not t.is_active or not w.is_active or w.archived_at is not null
       or (a.kind = 'success' and not t.config ? 'success_within'))
"""

# Those whose last slots all came to nothing; what was left out on purpose is no reason to worry.
IN_VAIN = """
select t.id from unnest(%s::uuid[]) as t(id),
  lateral (select count(*) as slots, count(*) filter (where x.decision in (2, 4, 5, 6, 10)) as bad
           from (select f.decision from automation_firing f where f.trigger_id = t.id
                 order by f.slot desc limit %s) x) last
where last.slots = %s and last.bad = last.slots
"""

OVERDUE = """
select t.id, t.kind, t.config::text, t.next_fire_at, now()
from automation_trigger t join automation_workflow w on w.id = t.workflow_id
where t.is_active and t.next_fire_at <= now() - interval '1 minute' and w.is_active and w.archived_at is null
  and not exists (select from automation_schedulealarm a where a.trigger_id = t.id and a.kind = 'slots')
order by t.next_fire_at limit %s
"""

# Counted from the last success of the workflow, or from the last change when that is younger. The newest runs are
# looked at: so many failures in a row are a reason to tell, whatever was before them.
EXPECTED = """
select t.id, t.kind, t.config::text,
       greatest(t.updated_at, w.updated_at, (
         select r.finished_at
         from (select x.status, x.finished_at, x.mode from automation_run x
               where x.workflow_id = t.workflow_id order by x.id desc limit 10000) r
         where r.status = 50 and r.mode = 1 limit 1)),
       now(),
       exists (select from automation_schedulealarm a where a.trigger_id = t.id and a.kind = 'success')
from automation_trigger t join automation_workflow w on w.id = t.workflow_id
where t.is_active and t.config ? 'success_within' and w.is_active and w.archived_at is null and t.id > %s
order by t.id limit %s
"""

STANDING = """
select t.id, t.name, w.name, a.kind, a.since, a.reason
from automation_schedulealarm a join automation_trigger t on t.id = a.trigger_id
join automation_workflow w on w.id = t.workflow_id
order by a.since, a.id limit %s
"""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why a schedule should have run: `kind` is slots or success, `since` when it should have."""

    trigger_id: UUID
    kind: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A schedule that is looked at: since when it is to run or to succeed. `now` is the database's clock."""

    trigger_id: UUID
    kind: str
    config: dict[str, Any]
    at: datetime
    now: datetime
    has_alarm: bool = False


def raise_alarms(cursor: Any, alarms: Sequence[Alarm]) -> None:
    """Raise alarms that do not stand yet."""
    if alarms:
        cursor.execute(RAISE, [[getattr(row, name) for row in alarms] for name in Alarm.__slots__])


def end_alarms(cursor: Any, trigger_ids: Collection[UUID], *, kind: str) -> None:
    """End the alarms of one kind that stand for these triggers."""
    if trigger_ids:
        cursor.execute(END, (list(trigger_ids), kind))


def forget_idle(cursor: Any) -> None:
    """Take away the alarms of what was switched off."""
    cursor.execute(FORGET)


def in_vain(cursor: Any, decided: Collection[Decided]) -> set[UUID]:
    """The triggers of these decisions whose last slots all came to nothing."""
    if not decided:
        return set()
    cursor.execute(IN_VAIN, ([row.trigger_id for row in decided], IN_A_ROW, IN_A_ROW))
    return {trigger_id for (trigger_id,) in cursor.fetchall()}


def overdue(cursor: Any, *, most: int) -> list[Looked]:
    """Schedules whose time was a minute ago or more and that nobody has fired, the latest ones first."""
    cursor.execute(OVERDUE, (most,))
    return [_looked(row) for row in cursor.fetchall()]


def expected(cursor: Any, *, after: UUID, most: int) -> list[Looked]:
    """Schedules whose workflow is to succeed every so often, behind an id, with the last good moment."""
    cursor.execute(EXPECTED, (after, most))
    return [_looked(row) for row in cursor.fetchall()]


def _looked(row: Sequence[Any]) -> Looked:
    trigger_id, kind, config, *rest = row
    return Looked(trigger_id, kind, orjson.loads(config), *rest)


def standing(cursor: Any, *, most: int) -> list[tuple[UUID, str, str, str, datetime, str]]:
    """The alarms that stand: trigger, its name, its workflow's, kind, since when and why; the oldest first."""
    cursor.execute(STANDING, (most,))
    return list(cursor.fetchall())
