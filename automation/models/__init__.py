"""Fields, constraints and small properties. Rules live in services, hot statements in store."""

from automation.models.firing import Firing
from automation.models.idempotency import IdempotencyKey
from automation.models.run import Run, RunData, RunMode
from automation.models.run_log import RunLog
from automation.models.step_run import StepRun
from automation.models.tick import Tick
from automation.models.trigger import Trigger
from automation.models.version import WorkflowVersion
from automation.models.worker import Worker, WorkerState
from automation.models.workflow import Workflow

__all__ = [
    "Firing",
    "IdempotencyKey",
    "Run",
    "RunData",
    "RunLog",
    "RunMode",
    "StepRun",
    "Tick",
    "Trigger",
    "Worker",
    "WorkerState",
    "Workflow",
    "WorkflowVersion",
]
