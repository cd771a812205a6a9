"""Run one step kind the way a run does: rendered, checked, attempted."""

from typing import Any

from automation.engine.attempt import Surroundings, attempt
from automation.engine.kinds import Fail, Outcome
from automation.engine.plan import build_plan
from automation.engine.prepare import prepare
from automation.engine.simulate import START
from automation.steps import all_kinds


def run_step(uses: str, config: dict[str, Any], **scope: Any) -> Outcome:
    """The outcome of a step of this kind with this `with`, in a scope with these roots."""
    document = {"schema": 1, "steps": [{"id": "a", "uses": uses, "with": config}]}
    step = build_plan(document, all_kinds()).by_id["a"]
    full = {"inputs": {}, "trigger": None, "steps": {}, "run": {}, "vars": {}, **scope}
    prepared = prepare(step, full)
    if isinstance(prepared, Fail):
        return prepared
    around = Surroundings(full, "bo_key", START, remaining_seconds=lambda: 30.0, is_cancelled=lambda: False)
    return attempt(step, prepared, 1, around)
