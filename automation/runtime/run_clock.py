"""The clock of a run: the database's, for deadlines and rows alike."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from automation.store.claim import Claimed


class RunClock:
    """Counts on from the instant of the claim, so that no host's clock matters."""

    def __init__(self, run: Claimed) -> None:
        self._offset = run.claimed_at - time.time()
        self._deadline = run.deadline_at

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.fromtimestamp(time.time() + self._offset, UTC)

    def seconds_left(self, deadline: datetime | None = None) -> float:
        """Until the run's deadline, or an earlier one that is given."""
        now = time.time() + self._offset
        left = float("inf") if self._deadline is None else self._deadline - now
        return left if deadline is None else min(left, deadline.timestamp() - now)
