"""News for a run: a signal, a decision, the end of a child. A waiting run goes on; one about to park does not park."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# `signals` is the proof against the lost wake-up: a park compares it under the row's lock with what its claim saw.
GIVE_NEWS = """
update automation_run r
set signals = r.signals + 1,
    status = case when r.status <> 30 then r.status when r.crashes >= 2 then 18 else 10 end,
    wake_at = case when r.status <> 30 then r.wake_at end,
    wait_kind = case when r.status <> 30 then r.wait_kind end,
    wait_key = case when r.status <> 30 then r.wait_key end
where r.id = any(%s) and r.status < 50
returning r.id
"""


def give_news(cursor: Any, run_ids: Sequence[int]) -> set[int]:
    """Tell some runs that there is news; return those that have not ended. The caller rings after its commit."""
    cursor.execute(GIVE_NEWS, (list(run_ids),))
    return {run_id for (run_id,) in cursor.fetchall()}
