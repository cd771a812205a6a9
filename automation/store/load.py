"""Load what a resumed run already knows, and the versions that runs are pinned to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from automation.engine.results import StepResult
from automation.engine.status import StepStatus
from automation.store.claim import Claimed
from automation.store.connection import Connection
from automation.store.payloads import BrokenPayload, load_payloads

STEPS = """
select run_id, output_ref, path, kind, status, attempt, output, port, reason, error, until, started_at, finished_at,
       is_kept, effect
from automation_steprun where run_id = any(%s)
"""

# Which of the calls of a run have ended: only those are worth asking about when a run of many calls goes on.
ENDED_CALLS = """
select called_by_run_id, called_by_path from automation_run
where called_by_run_id = any(%s) and status >= 50 and not is_detached
"""

VERSIONS = """
select v.id, v.definition, v.number, w.name from automation_workflowversion v
join automation_workflow w on w.id = v.workflow_id where v.id = any(%s)
"""


class BrokenRuns(Exception):
    """Runs whose payloads cannot be read back: `{run id: why}`. Nothing was loaded: ask again for the others."""

    def __init__(self, broken: Mapping[int, str]) -> None:
        super().__init__("; ".join(f"run {run_id}: {why}" for run_id, why in broken.items()))
        self.broken = broken


def load_steps(connection: Connection, run_ids: Sequence[int]) -> dict[int, dict[str, StepResult]]:
    """The step rows of some runs, by run and path. Raises BrokenRuns."""
    found: dict[int, dict[str, StepResult]] = defaultdict(dict)
    large: dict[tuple[int, str], str] = {}
    for run_id, ref, path, kind, status, *rest in connection.rows(STEPS, (list(run_ids),)):
        found[run_id][path] = StepResult(path, kind, StepStatus(status), *rest)
        if ref is not None:
            large[run_id, path] = ref
    if large:
        values = _payloads(connection, {(run_id, ref) for (run_id, _), ref in large.items()})
        for (run_id, path), ref in large.items():
            found[run_id][path] = replace(found[run_id][path], output=values[run_id, ref])
    return found


def load_ended_calls(connection: Connection, run_ids: Sequence[int]) -> dict[int, set[str]]:
    """The paths of the steps whose called runs have ended, by calling run."""
    found: dict[int, set[str]] = defaultdict(set)
    for run_id, path in connection.rows(ENDED_CALLS, (list(run_ids),)):
        found[run_id].add(path.partition("#")[0])  # `billing#2` is what the second attempt of `billing` called
    return found


def load_inputs(connection: Connection, runs: Sequence[Claimed]) -> list[Claimed]:
    """The same runs, each with its whole input. Raises BrokenRuns."""
    large = {(run.id, run.input_ref) for run in runs if run.input_ref is not None}
    if not large:
        return list(runs)
    values = _payloads(connection, large)
    return [run if run.input_ref is None else replace(run, input=values[run.id, run.input_ref]) for run in runs]


def _payloads(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Any]:
    values = load_payloads(connection, wanted)
    broken = {run_id: str(value) for (run_id, _), value in values.items() if isinstance(value, BrokenPayload)}
    if broken:
        raise BrokenRuns(broken)
    return values


def load_versions(connection: Connection, version_ids: Sequence[UUID]) -> list[tuple[Any, ...]]:
    """`(version id, definition, number, workflow name)` of some versions."""
    return connection.rows(VERSIONS, (list(version_ids),))
