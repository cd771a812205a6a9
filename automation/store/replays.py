"""The replay whose next run is due. Whoever holds its row starts that run; the others look at other replays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

TAKE = """
select id from automation_replay where state = 'running' and next_at <= statement_timestamp()
order by next_at limit 1 for update skip locked
"""

# The pace: one run every 60 / per_minute seconds. What a pause of the pulse held up is caught up for two seconds,
# not more: a replay never comes as a burst.
PASSED = """
update automation_replay
set started = started + %(started)s, refused = refused + %(refused)s,
    next_at = greatest(next_at, statement_timestamp() - interval '2 seconds') + make_interval(secs => 60.0 / per_minute)
where id = %(id)s
"""


def take_due(cursor: Any) -> UUID | None:
    """Lock a replay that is due until the end of the transaction; None when none is free."""
    cursor.execute(TAKE)
    row = cursor.fetchone()
    return row[0] if row else None


def count_item(cursor: Any, replay_id: UUID, *, is_started: bool) -> None:
    """Count an item as started or refused, and set when the next one is due."""
    cursor.execute(PASSED, {"id": replay_id, "started": int(is_started), "refused": int(not is_started)})
