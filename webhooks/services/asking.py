"""The condition of a webhook's trigger, asked of each delivery that would start a run."""

from __future__ import annotations

from automation.services import conditions
from brainops.core.errors import Conflict
from webhooks.services.outcomes import Genuine, Noted
from webhooks.services.states import EndpointState

Json = object


class ConditionUnmet(Conflict):
    """A delivery starts no run: the trigger's condition does not hold, or cannot be evaluated with it. No error."""

    code = "condition_false"
    title = "Passed over"


def ask(state: EndpointState, genuine: Genuine, trigger: Json) -> None:
    """Raise ConditionUnmet unless a run may start; after it what is wrong with the inputs, too, as InvalidInput."""
    if state.condition:
        variables = conditions.variables_for(state.stored.workspace_id, state.condition)
        judged = conditions.judge(state.condition, inputs=genuine.inputs, trigger=trigger, variables=variables)
        if not judged.holds:
            raise ConditionUnmet(judged.reason, code=judged.code, details={"operands": judged.operands})
    if genuine.refusal is not None:
        raise genuine.refusal


def noted(genuine: Genuine, unmet: ConditionUnmet) -> Noted:
    """How it stands in the log, and what the sender is answered."""
    return Noted(genuine.delivery_id, genuine.event_type, unmet.code, unmet.message)
