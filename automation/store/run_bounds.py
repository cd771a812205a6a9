"""Find where an instant lies among the runs: the list's index is by id, and ids rise with time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

# A run's time is that of its transaction's start, its id that of its insert. So much may lie between the two.
SLACK_SECONDS = 600

# Halves the span of ids until one is left: at most 63 looks at the primary key, usually 20. `hit` is the first run from
# the middle on, since ids have gaps. Nothing is counted and nothing is sorted.
BOUND = """
with recursive span(low, high) as (
  select (select min(id) from automation_run), (select max(id) + 1 from automation_run)
  union all
  select case when hit.created_at < %(at)s then hit.id + 1 else low end,
         case when hit.created_at < %(at)s then high else (low + high) / 2 end
  from span cross join lateral (
    select id, created_at from automation_run where id >= (low + high) / 2 order by id limit 1) hit
  where low < high
)
select max(low) from span
"""


def first_id_at(cursor: Any, at: datetime) -> int:
    """An id with every run before it older than `at`, if ids rose strictly with time; 0 where there are no runs."""
    cursor.execute(BOUND, {"at": at})
    return int(cursor.fetchone()[0] or 0)
