"""The condition of a schedule, asked for each slot that would run."""

from __future__ import annotations

from collections.abc import Mapping

from automation.models.firing import FiringDecision
from automation.services import conditions
from automation.services.slot_verdicts import At
from automation.store.firings import Decided, Due
from automation.store.intake import NewRun


def asked(due: Due, runs: Mapping[At, NewRun]) -> tuple[dict[At, NewRun], dict[At, Decided]]:
    """The runs of the slots for which the condition holds, and decisions about the others."""
    if not due.condition:
        return dict(runs), {}
    variables = conditions.variables_for(due.workspace_id, due.condition)
    held, others = dict[At, NewRun](), dict[At, Decided]()
    for at, run in runs.items():
        judged = conditions.judge(due.condition, inputs=run.inputs, trigger=run.trigger, variables=variables)
        if judged.holds:
            held[at] = run
            continue
        failed = judged.code == conditions.FAILED
        others[at] = Decided(*at, FiringDecision.REFUSED if failed else FiringDecision.CONDITION, judged.reason)
    return held, others
