"""What the expressions of a run see when it begins on this process."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from automation.engine.scope import new_scope
from automation.runtime.plans import Loaded
from automation.store.claim import Claimed

MODES = {1: "asynchronous", 2: "synchronous", 3: "test"}


def run_scope(run: Claimed, version: Loaded, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The roots of a claimed run; its steps are shown by the course."""
    about_run = {
        "id": str(run.uid),
        "number": run.id,
        "workflow": version.workflow_name,
        "version": version.number,
        "started_at": datetime.fromtimestamp(run.created_at, UTC).isoformat(),
        "attempt": run.attempt,
        "mode": MODES[run.mode],
    }
    given = run.input
    inputs, trigger = given.get("inputs"), given.get("trigger")
    return new_scope(version.plan, inputs=inputs, trigger=trigger, run=about_run, variables=variables)
