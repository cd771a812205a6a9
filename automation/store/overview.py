"""Numbers of the overview: one statement each, over indexes that the hot path already pays for."""

from __future__ import annotations

# the rows that are under way lie in partial indexes; each count reads only its own
BACKLOG = """
select (select count(*) from automation_run where status = 10),
       (select count(*) from automation_run where status = 20),
       (select count(*) from automation_run where status = 30),
       (select count(*) from automation_run where status = 15),
       (select count(*) from automation_run where status = 18),
       (select extract(epoch from statement_timestamp() - created_at)::float8 from automation_run where status = 10
        order by queue, priority, id limit 1)
"""

# the block ranges of created_at (run_created) leave only the window's pages
BY_HOUR = """
select greatest(floor(extract(epoch from statement_timestamp() - created_at) / 3600)::int, 0) as hours_ago, status,
       count(*)
from automation_run where created_at > statement_timestamp() - make_interval(hours => %s)
group by 1, 2
"""

FAILING = """
select w.id, w.name, f.failed, f.newest, r.uid, r.created_at, d.error
from (select workflow_id, count(*) as failed, max(id) as newest from automation_run
      where status in (51, 53) and created_at > statement_timestamp() - make_interval(hours => %s)
      group by workflow_id order by failed desc, newest desc limit %s) f
join automation_workflow w on w.id = f.workflow_id
join automation_run r on r.id = f.newest
left join automation_rundata d on d.run_id = f.newest
order by f.failed desc, f.newest desc
"""

# The last runs of each workflow of a page: one descent of run_list per workflow. "between" instead of "=": the planner
# would drop an equal column from the order, and walk the primary key in search of a workflow that seldom runs.
RECENT = """
select w.id, r.uid, r.status, r.created_at, extract(epoch from r.finished_at - r.started_at)::float8
from unnest(%s::uuid[]) as w(id)
cross join lateral (select uid, status, created_at, started_at, finished_at from automation_run
                    where workflow_id between w.id and w.id order by workflow_id, id desc limit %s) r
"""

COUNT_SINCE = """
select workflow_id, count(*) from automation_run
where workflow_id = any(%s) and created_at > statement_timestamp() - make_interval(hours => %s) group by workflow_id
"""

# Ended runs of all time: those that stand, and those that were pruned.
TOTALS = """
select workflow_id, status, sum(runs)::bigint from (
  select workflow_id, status, count(*) as runs from automation_run
  where workflow_id = any(%(workflows)s) and status >= 50 group by workflow_id, status
  union all
  select workflow_id, status, sum(runs) from automation_runstatistic
  where workflow_id = any(%(workflows)s) group by workflow_id, status) both_of_them
group by workflow_id, status
"""

TAGS = """
select tag from automation_workflow, jsonb_array_elements_text(tags) as tag
group by tag order by count(*) desc, tag limit %s
"""
