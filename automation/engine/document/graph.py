"""The graph of a document: needs that exist, outcomes that exist, joins that can be met, no circles."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.document.closure import Closure
from automation.engine.document.flat import PHASES, Flat, FlatStep
from automation.engine.document.parse import Need, StepDocument
from automation.engine.document.ports import Ports
from automation.engine.problem import Problem
from automation.engine.wording import counted, did_you_mean, nearest, one_of, quoted


def check_needs(flat: Flat, ports: Ports) -> Iterator[Problem]:
    """Every need that names nothing, the step itself, a step of another list, or an outcome that does not exist."""
    for here in flat.steps.values():
        for need in here.step.needs:
            yield from _check_need(here, need, flat, ports)


def check_circles(flat: Flat, closure: Closure) -> Iterator[Problem]:
    """Each circle of steps that wait for each other, named step by step."""
    for circle in closure.circles():
        step = flat.steps[circle[0]].step
        need = flat.steps[circle[0]].waits_for[circle[1]]
        at = step.pointer if need is None else step.at("needs", need.index)
        way = " → ".join(circle)
        message = f"Steps wait for each other in a circle: {way} (each needs the next). Remove one of these needs."
        yield Problem("cycle", message, at)


def check_joins(flat: Flat) -> Iterator[Problem]:
    """Joins that can never be met, so that the step would be skipped in every run."""
    for here in flat.steps.values():
        yield from _check_join(here.step)


def _check_need(here: FlatStep, need: Need, flat: Flat, ports: Ports) -> Iterator[Problem]:
    step = here.step
    at = step.at("needs", need.index)
    there = flat.steps.get(need.step)
    if need.step == step.id:
        yield Problem("self_need", f"{step.label} needs itself. Remove {quoted(str(need))} from its needs.", at)
    elif there is None:
        hint = did_you_mean(need.step, list(flat.ids())) or _known(flat, step)
        message = f"{step.label} needs {quoted(need.step)}, which is no step of this document.{hint}"
        yield Problem("unknown_need", message, at)
    elif there.body is not here.body:
        yield Problem("foreign_need", _foreign(here, there), at)
    elif need.port is not None:
        yield from _check_port(step, need, there.step, ports)


def _known(flat: Flat, step: StepDocument) -> str:
    others = [name for name in flat.ids() if name != step.id][:10]
    return f" Steps: {one_of(others, last='and')}." if others else " Remove it."


def _foreign(here: FlatStep, there: FlatStep) -> str:
    """Both steps stand in different lists: name the two steps of one list that a need could join."""
    shared = here.shared(there)
    mine, theirs = (*here.enclosing, here.step)[shared], (*there.enclosing, there.step)[shared]
    name = there.step.id
    phases = (here.bodies[shared].key, there.bodies[shared].key)
    if mine is theirs:
        is_around = mine is there.step
        advice = f'"{name}" is {"around" if is_around else "inside"} this step. Remove it.'
    elif phases[0] != phases[1]:
        first, last = sorted(phases, key=PHASES.index)
        advice = f'"{name}" is in "{phases[1]}", and "{last}" begins when "{first}" has ended. Remove it.'
    elif theirs is not there.step and mine is here.step:
        advice = f'"{name}" is inside "{theirs.id}". Need "{theirs.id}" instead.'
    elif theirs is not there.step:
        advice = f'"{name}" is inside "{theirs.id}". Remove it and let "{mine.id}" need "{theirs.id}".'
    else:
        advice = f'"{name}" stands outside of "{mine.id}". Move the need to "{mine.id}".'
    return f"{here.step.label}: needs name steps of the same list; {advice}"


def _check_port(step: StepDocument, need: Need, there: StepDocument, ports: Ports) -> Iterator[Problem]:
    known = ports.of(there)
    if known is None or need.port in known:
        return
    at = step.at("needs", need.index)
    if need.port == "error":
        advice = f'Set "on_error": "continue" on "{there.id}", else its failure ends the run.'
    elif known:
        near = nearest(need.port or "", known)
        choices = one_of([f"{there.id}.{port}" for port in known], last="and")
        advice = f'Did you mean "{there.id}.{near}"?' if near else f"It has {choices}."
    else:
        advice = f'It has only one; need "{there.id}".'
    yield Problem("unknown_port", f'{step.label}: "{there.id}" has no outcome {quoted(need.port or "")}. {advice}', at)


def _check_join(step: StepDocument) -> Iterator[Problem]:
    most = _most_taken(step)
    if isinstance(step.join, int) and step.join > len(step.needs):
        there = "is 1 need" if len(step.needs) == 1 else f"are {counted(len(step.needs), 'need')}"
        message = f'{step.label}: "join" wants {step.join} needs taken, but there {there}. Lower it or add needs.'
        yield Problem("impossible_join", message, step.at("join"))
    elif isinstance(step.join, int) and step.join > most:
        message = f'{step.label}: "join" wants {step.join} needs taken, but a step takes one outcome: at most {most}.'
        yield Problem("impossible_join", message, step.at("join"))
    elif step.join == "all" and most < len(step.needs):
        message = f'{step.label} needs several outcomes of one step, which takes one. Set "join": "any".'
        yield Problem("impossible_join", message, step.at("needs"))


def _most_taken(step: StepDocument) -> int:
    """How many of its needs one run can take: of each step the plain need and one outcome."""
    return len({(need.step, need.port is None) for need in step.needs})
