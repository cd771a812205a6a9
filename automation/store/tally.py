"""Ended runs counted by the hour, and figures made of the counts: weeks cost as much as the hours they have.

What ended since the tally was last made is counted from the rows, so the figures are exact at any moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

GROWTH = 1.2  # from one bucket to the next
NO_TIME = -1000  # the bucket of runs that never started

LOCK_MARK = "select until from automation_tallymark where id = 1 for update"

# Without a mark nothing is counted yet, and nothing can have ended before the oldest run was made.
MAKE_MARK = """
insert into automation_tallymark (id, until)
select 1, date_trunc('hour', coalesce((select created_at from automation_run order by id limit 1), now()), 'UTC')
on conflict do nothing
"""

# A run's end is the beginning of the transaction that ended it: nothing can end any more before the oldest one that is
# still open. In a statement of its own: its transactions are looked up before the runs are.
HORIZON = """
select least(now(), (select min(xact_start) from pg_stat_activity
                     where datname = current_database() and backend_type = 'client backend'
                       and pid <> pg_backend_pid())) - interval '1 second'
"""

_SECONDS = "coalesce(extract(epoch from finished_at - started_at), 0)::float8"
_COUNTED = f"""
select date_trunc('hour', finished_at, 'UTC') as hour, workspace_id, workflow_id, status,
       coalesce(created_by_id, '00000000-0000-0000-0000-000000000000') as created_by_id,
       case when started_at is null then {NO_TIME}
            else floor(ln(greatest({_SECONDS}, 0.001)) / ln({GROWTH}))::int end as bucket,
       count(*) as runs, sum({_SECONDS}) as seconds, max({_SECONDS}) as longest
from automation_run
"""

COUNT = f"""
insert into automation_runtally as t (hour, workspace_id, workflow_id, status, created_by_id, bucket, runs, seconds,
                                      longest)
{_COUNTED}
where finished_at >= %(since)s and finished_at < %(until)s and status >= 50
group by 1, 2, 3, 4, 5, 6
on conflict (workflow_id, hour, status, created_by_id, bucket) do update
set runs = t.runs + excluded.runs, seconds = t.seconds + excluded.seconds,
    longest = greatest(t.longest, excluded.longest)
"""

MOVE_MARK = "update automation_tallymark set until = %s where id = 1"

# Whose runs: of everybody, or in one workspace those that the user asked for or whose workflow the user owns.
_EVERYBODY = "true"
_OWN = """workspace_id = %(workspace)s and (created_by_id = %(user)s
  or workflow_id in (select id from automation_workflow where owner_id = %(user)s and workspace_id = %(workspace)s))"""

_FACTS = f"""
with facts as (
  select hour, workspace_id, workflow_id, status, bucket, runs, seconds, longest from automation_runtally
  where hour >= %(since)s and hour < %(until)s and {{whose}}
  union all
  select hour, workspace_id, workflow_id, status, bucket, runs, seconds, longest from (
    {_COUNTED}
    where finished_at >= greatest(%(since)s, (select until from automation_tallymark where id = 1))
      and finished_at < %(until)s and status >= 50 and {{whose}}
    group by 1, 2, 3, 4, 5, 6) late)
"""
# by status and bucket: enough for counts, rates and percentiles
_SPREAD = "select status, bucket, sum(runs)::bigint, sum(seconds), max(longest) from facts group by 1, 2"
_BY_TIME = """
select date_trunc(%(unit)s, hour, 'UTC'), status, sum(runs)::bigint from facts group by 1, 2
"""
_BY_WORKFLOW = """
select f.workflow_id, w.name, w.workspace_id, f.runs, f.succeeded, f.failed, f.average, f.longest
from (select workflow_id, sum(runs)::bigint as runs,
             coalesce(sum(runs) filter (where status = 50), 0)::bigint as succeeded,
             coalesce(sum(runs) filter (where status in (51, 53)), 0)::bigint as failed,
             (sum(seconds) / sum(runs))::float8 as average, max(longest) as longest
      from facts group by workflow_id order by {order} desc limit %(most)s) f
join automation_workflow w on w.id = f.workflow_id order by f.{order} desc, w.name
"""
SPREAD = _FACTS.format(whose=_EVERYBODY) + _SPREAD
BY_TIME = _FACTS.format(whose=_EVERYBODY) + _BY_TIME
SLOWEST = _FACTS.format(whose=_EVERYBODY) + _BY_WORKFLOW.format(order="average")
OWN_SPREAD = _FACTS.format(whose=_OWN) + _SPREAD
OWN_BY_TIME = _FACTS.format(whose=_OWN) + _BY_TIME
OWN_BUSIEST = _FACTS.format(whose=_OWN) + _BY_WORKFLOW.format(order="runs")

EVER = """
select status, sum(runs)::bigint from (
  select status, sum(runs) as runs from automation_runtally group by status
  union all
  select status, count(*) from automation_run
  where finished_at >= coalesce((select until from automation_tallymark where id = 1), '-infinity') and status >= 50
  group by status) all_of_it
group by status
"""

# Each status has a partial index of its own; what is under way is little beside what has ended.
OWN_UNDER_WAY = "\nunion all\n".join(
    f"select {status}, count(*) from automation_run where status = {status} and {_OWN}"
    for status in (10, 15, 18, 20, 30)
)

# The newest failures only: their texts are with the runs, and a few thousand tell what goes wrong.
_FAILED = """(select id, workspace_id, workflow_id, created_by_id, finished_at from automation_run
  where status = {status} order by id desc limit %(most)s)"""
_FAILURES = f"""
select coalesce(d.error ->> 'type', 'unknown'), coalesce(d.error ->> 'class', 'unknown'), count(*), max(r.finished_at)
from ({_FAILED.format(status=51)} union all {_FAILED.format(status=53)}) r
left join automation_rundata d on d.run_id = r.id
where r.finished_at >= %(since)s and r.finished_at < %(until)s and {{whose}}
group by 1, 2 order by 3 desc, 1, 2 limit 20
"""
FAILURES = _FAILURES.format(whose=_EVERYBODY)
OWN_FAILURES = _FAILURES.format(whose=_OWN)


def count_ended(cursor: Any, *, since: datetime, until: datetime) -> None:
    """Add the runs that ended in a stretch of time to the tally, on the caller's transaction."""
    cursor.execute(COUNT, {"since": since, "until": until})
    cursor.execute(MOVE_MARK, (until,))


def rows(cursor: Any, statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of one of the statements above."""
    cursor.execute(statement, parameters)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
