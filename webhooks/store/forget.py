"""Delete events that were kept long enough, a bounded number at a time."""

from __future__ import annotations

from automation.store.connection import Connection

PORTION = 500

# Each endpoint's oldest first, through event_list. What still waits for its run stays (verdict 4).
FORGET = """
delete from webhooks_webhookevent where id = any(array(
  select e.id from webhooks_webhookendpoint p
  cross join lateral (
    select id from webhooks_webhookevent
    where endpoint_id = p.id and verdict <> 4 and received_at < statement_timestamp() - make_interval(days => %s)
    order by received_at limit %s) e
  limit %s))
returning 1
"""


def forget_events(connection: Connection, *, days: int) -> int:
    """Delete up to PORTION events older than `days`; return how many."""
    return len(connection.rows(FORGET, (days, PORTION, PORTION)))
