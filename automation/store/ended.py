"""Which of the awaited runs have ended, or answered their caller: one statement for all who wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from automation.store.connection import Connection

ENDED = """
select r.id, r.status, case when r.id = any(%(respond)s) then d.response end
from automation_run r join automation_rundata d on d.run_id = r.id
where r.id = any(%(runs)s) and (r.status >= 50 or (r.id = any(%(respond)s) and d.response is not null))
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an awaited run. `response` is the answer of its `respond` step, `{status, headers, body}`."""

    status: int
    response: Any = None


def find_ended(connection: Connection, run_ids: Sequence[int], *, respond_ids: Sequence[int]) -> dict[int, Ended]:
    """The runs of `run_ids` that have ended, and those of `respond_ids` that have answered, by id."""
    rows = connection.rows(ENDED, {"runs": list(run_ids), "respond": list(respond_ids)})
    return {run_id: Ended(status, response) for run_id, status, response in rows}
