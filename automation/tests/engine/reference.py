"""A second, naive meaning of workflows to compare the engine with: recursion over definitions, no order, no state.

`probe` steps act by their `with`: `does` is succeed, fail, flaky (the first attempt fails), sleep, true or false (a
port); `adds` is a number to which the outputs of taken needs are added.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from automation.engine.kinds import Call, Done, ErrorClass, Outcome, Sleep
from automation.tests.engine.samples import failure, kind

Step = dict[str, Any]


def probe(call: Call) -> Outcome:
    """Act as `does` says."""
    does, total = call.config["does"], sum(call.config["adds"])
    if does == "fail" or (does == "flaky" and call.attempt == 1):
        return failure(ErrorClass.TRANSIENT if does == "flaky" else ErrorClass.USER)
    if does == "sleep":
        return Sleep(5, total)
    return Done(total, port=does if does in ("true", "false") else None)


PROBE = kind("probe", probe, ports=lambda config: ("true", "false") if config["does"] in ("true", "false") else ())


@dataclass(frozen=True)
class Meaning:
    """What a step comes to: `succeeded`, `failed` or `skipped`, its output and port."""

    status: str
    output: Any = None
    port: str | None = None


def meanings(steps: list[Step]) -> dict[str, Meaning]:
    """What every step comes to when no failure ends the run."""
    by_id = {step["id"]: step for step in steps}

    @cache
    def meaning(name: str) -> Meaning:
        step = by_id[name]
        needs = step.get("needs", [])
        if sum(map(is_taken, needs)) < wanted(step) or step.get("if") is False:
            return Meaning("skipped")
        does, total = step["with"]["does"], step["with"]["adds"][0]
        if step.get("join", "all") == "all":
            total += sum(meaning(need.split(".")[0]).output for need in needs if is_number(need))
        if does == "fail":
            return Meaning("failed", port="error" if step.get("on_error") == "continue" else None)
        return Meaning("succeeded", total, does if does in ("true", "false") else None)

    def is_taken(need: str) -> bool:
        name, _, port = need.partition(".")
        found = meaning(name)
        if found.status == "failed" and by_id[name].get("on_error") != "continue":
            return False
        return found.status != "skipped" and port in ("", found.port)

    def is_number(need: str) -> bool:
        return meaning(need.split(".")[0]).status == "succeeded"

    def wanted(step: Step) -> int:
        count = len(step.get("needs", []))
        return {"all": count, "any": min(count, 1)}.get(step.get("join", "all"), step.get("join"))

    return {name: meaning(name) for name in by_id}


def ending_failures(steps: list[Step]) -> set[str]:
    """The steps whose failure ends the run, if it gets that far."""
    found = meanings(steps)
    return {s["id"] for s in steps if found[s["id"]].status == "failed" and s.get("on_error") != "continue"}
