"""Load what a resumed run already knows, and the versions that runs are pinned to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from automation.engine.results import StepResult
from automation.engine.status import StepStatus
from automation.store.connection import Connection

STEPS = """
select run_id, path, kind, status, attempt, output, port, reason, error, until, started_at, finished_at, is_kept
from automation_steprun where run_id = any(%s)
"""

VERSIONS = """
select v.id, v.definition, v.number, w.name from automation_workflowversion v
join automation_workflow w on w.id = v.workflow_id where v.id = any(%s)
"""


def load_steps(connection: Connection, run_ids: Sequence[int]) -> dict[int, dict[str, StepResult]]:
    """The step rows of some runs, by run and path."""
    found: dict[int, dict[str, StepResult]] = defaultdict(dict)
    for run_id, path, kind, status, *rest in connection.rows(STEPS, (list(run_ids),)):
        found[run_id][path] = StepResult(path, kind, StepStatus(status), *rest)
    return found


def load_versions(connection: Connection, version_ids: Sequence[UUID]) -> list[tuple[Any, ...]]:
    """`(version id, definition, number, workflow name)` of some versions."""
    return connection.rows(VERSIONS, (list(version_ids),))
