"""rehearse: run a plan in memory with every effect simulated, and report what would happen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.dry_run.flow import DryFlow
from automation.engine.dry_run.report import Allowance, Report, Stopped
from automation.engine.dry_run.scenario import Callee, Scenario
from automation.engine.plan import Plan

Json = Any


def rehearse(plan: Plan, definition: Mapping[str, Json], scenario: Scenario) -> Report:
    """Rehearse a run from its start to its end, or to a limit of the dry run.

    `definition` is what the plan was made of. Never raises: what goes wrong stands in the report.
    """
    report = Report()
    allowance = Allowance(scenario.limits, seconds_now=scenario.seconds())
    workflow = Callee(scenario.id, "", definition, plan)
    flow = DryFlow(workflow, scenario, report, allowance, effects=report.effects)
    try:
        ended = flow.run(scenario.inputs, scenario.trigger)
    except Stopped as stopped:
        report.status, report.stopped_by = "stopped", str(stopped)
    else:
        report.status = ended.finished.status.word
        report.output, report.error = allowance.shown(ended.finished.output), ended.finished.error
        report.response = allowance.shown(ended.response)
        report.lasts_seconds = (ended.finished_at - scenario.now).total_seconds()
    report.steps = flow.steps()
    return report
