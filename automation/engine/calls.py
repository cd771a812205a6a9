"""The kind of `call` steps: start a run of another workflow, and with `wait` take its output.

The step is asked again when the called run has ended; looking at it twice is harmless, and it is started once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.commands import CallWorkflow
from automation.engine.kinds import Call, Done, Effect, ErrorClass, Fail, Kind, LogLine, Outcome, StepError, Wait

Json = Any


def run(call: Call) -> Outcome:
    """Start it or look at it: done when it succeeded, or at once when nobody waits."""
    config = call.config
    is_detached = not config.get("wait", True)
    child = call.perform(
        CallWorkflow(
            workflow=config["workflow"],
            version=config.get("version", "latest"),
            inputs=config.get("inputs", {}),
            is_detached=is_detached,
        )
    )
    about = {"type": "call", "run": child["run"], "workflow": config["workflow"]}
    if is_detached:
        return Done({"run": child["run"], "status": child["status"]}, reason=about)
    if not child["is_final"]:
        return Wait("child", details={"run": child["run"], "workflow": config["workflow"]})
    if child["status"] == "succeeded":
        return Done(child["output"], reason=about)
    if config.get("on_failure", "fail") == "continue":
        return Done({key: child[key] for key in ("run", "status", "error")}, reason=about)
    return Fail(_error(config["workflow"], child))


def simulate(call: Call) -> Outcome:
    """Starts nothing; what the other workflow would answer nobody knows."""
    workflow = call.config["workflow"]
    line = LogLine("info", f"Would run workflow {workflow!r}.", {"inputs": call.config.get("inputs", {})})
    return Done({"run": None, "status": "queued"} if not call.config.get("wait", True) else None, logs=(line,))


def _error(workflow: str, child: Mapping[str, Json]) -> StepError:
    status, error = child["status"], child["error"] or {}
    ended = {"cancelled": "was cancelled", "timed_out": "ran out of time"}.get(status, "failed")
    said = f"The called run of {workflow!r} {ended}."
    if error.get("message"):
        said = f"{said[:-1]}: {error['message']}"
    details = {"run": child["run"], "status": status, "error": child["error"]}
    return StepError(f"child_{status}", said, ErrorClass.USER, details=details)


CALL_KIND = Kind(
    key="call",
    title="Call",
    description="Run another workflow, and wait until it ends.",
    group="Flow",
    icon="account_tree",
    effect=Effect.CREATE,
    config_schema={
        "type": "object",
        "required": ["workflow"],
        "properties": {
            "workflow": {"type": "string", "minLength": 1, "maxLength": 200},
            "version": {"type": "string"},
            "inputs": {"type": "object"},
            "wait": {"type": "boolean"},
            "on_failure": {"enum": ["fail", "continue"]},
        },
    },
    output_schema={"description": "The output of the called run; without `wait` its id and status."},
    run=run,
    simulate=simulate,
    is_deterministic=False,
)
