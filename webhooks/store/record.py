"""Record a request that starts no run: acknowledged (a ping) or rejected."""

from __future__ import annotations

from typing import Any

from webhooks.store.current import CURRENT
from webhooks.store.event import COLUMNS, VALUES, NewEvent, State

RECORD = f"""
with {CURRENT}
insert into webhooks_webhookevent ({COLUMNS}) select {VALUES} from current_state
on conflict (endpoint_id, delivery_id) where verdict <> 2 and delivery_id is not null do nothing
returning id
"""

# Strangers can make rejected events, so an endpoint keeps the newest of theirs only; `event_rejected` serves it.
TRIM = """
delete from webhooks_webhookevent where id in (
  select id from webhooks_webhookevent where endpoint_id = %s and verdict = 2 and not is_verified
  order by received_at desc offset %s limit 100)
"""


def record(cursor: Any, state: State, event: NewEvent) -> bool:
    """Store the event; False when the state is no longer current or the delivery was taken before."""
    cursor.execute(RECORD, state.parameters() | event.parameters())
    return cursor.fetchone() is not None


def trim_rejected(cursor: Any, state: State, *, keep: int) -> None:
    """Delete the endpoint's oldest rejected events beyond `keep`, at most 100 a call."""
    cursor.execute(TRIM, (state.endpoint_id, keep))
