"""Accept a delivery: event, run and the run's payload in one statement, so one commit and one round trip.

Either all three stand afterwards or none does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automation.engine.status import RunStatus
from automation.store.intake import NewRun, start
from automation.store.new_run import NEW_RUN, RUN_TYPES
from automation.store.prepared import PreparedStatement
from webhooks.store.current import CURRENT
from webhooks.store.event import COLUMNS, EVENT_TYPES, STATE_TYPES, VALUES, NewEvent, State

# The run comes first: its dedupe key makes a second delivery wait for the first one's commit and then insert nothing.
ACCEPT = f"""
with {CURRENT}, {NEW_RUN.format(guard="from current_state")}, new_event as (
  insert into webhooks_webhookevent ({COLUMNS}, run_uid) select {VALUES}, new_run.uid from new_run
)
select id, uid from new_run
"""

PREPARED = PreparedStatement("accept", ACCEPT, STATE_TYPES | EVENT_TYPES | RUN_TYPES)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The run that a delivery started."""

    run_id: int
    run_uid: UUID
    status: RunStatus = RunStatus.QUEUED  # or BLOCKED


def accept(cursor: Any, state: State, event: NewEvent, run: NewRun) -> Accepted | None:
    """Store a delivery and start its run; None when the state is no longer current or the delivery was taken before.

    Raises IntegrityError when the delivery was taken by an event whose run is gone (or by one that gathers starts), and
    LimitFull: with a limit the cursor is in a transaction. The caller rings the bell.
    """
    inserted = start(cursor, PREPARED, run, state.parameters() | event.parameters(), is_pinned=False)
    if inserted is None:
        return None
    run_id, run_uid = inserted.row
    return Accepted(run_id, run_uid, inserted.status)
