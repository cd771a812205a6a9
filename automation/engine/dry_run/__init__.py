"""The dry run: control flow and expressions are executed, every effect is simulated, and all of it is written down."""

from automation.engine.dry_run.rehearse import rehearse
from automation.engine.dry_run.report import Decision, DryLimits, Effect, Report, Step, Unresolved
from automation.engine.dry_run.scenario import Callee, Scenario

__all__ = [
    "Callee",
    "Decision",
    "DryLimits",
    "Effect",
    "Report",
    "Scenario",
    "Step",
    "Unresolved",
    "rehearse",
]
