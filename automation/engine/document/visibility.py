"""Which steps an expression can read: those that have ended for certain when it is evaluated."""

from __future__ import annotations

from automation.engine.document.closure import Closure
from automation.engine.document.flat import PHASES, Flat, FlatStep
from automation.engine.document.parse import StepDocument


class Visibility:
    """Who may read whom in one document.

    A step reads what it waits for, and what the containers around it wait for. A container is read from outside as
    one step, and of a `try` each list for itself.
    """

    def __init__(self, flat: Flat, closure: Closure) -> None:
        self._flat = flat
        self._closure = closure

    def refusal(self, name: str, step: StepDocument, *, is_inside: bool = False) -> str | None:
        """Why `step` cannot read the step named, None when it can.

        `is_inside`: the reader is the output of the container `step`, evaluated after its nested steps.
        """
        here, there = self._flat.steps.get(step.id), self._flat.steps[name]
        if here is None or here.step is not step:
            return None  # a repeated or missing id: told elsewhere, and nobody can tell which is meant
        if name == step.id:
            return f'"steps.{name}" is the step itself, which has no output yet.'
        if is_inside and step.bodies and there.body is step.bodies[0]:
            return None
        if there.step in here.enclosing:
            return _around(there.step)
        return self._from_outside(here, there) or self._too_early(here, there)

    def _from_outside(self, here: FlatStep, there: FlatStep) -> str | None:
        """The step read is inside a container that the reader stands outside of, or inside of this very step."""
        shared = here.shared(there)
        if shared == len(there.enclosing):
            return None
        container, name = there.enclosing[shared].id, there.step.id
        if container == here.step.id:
            return f'"steps.{name}" is inside this step and has not run yet.'
        return f'"steps.{name}" is inside "{container}". From outside read "steps.{container}.output".'

    def _too_early(self, here: FlatStep, there: FlatStep) -> str | None:
        """The step read stands in a list around the reader: has it ended by then?"""
        shared, name = len(there.enclosing), there.step.id
        mine, list_ = (*here.enclosing, here.step)[shared], here.bodies[shared]
        if list_ is not there.body:
            if PHASES.index(there.body.key) > PHASES.index(list_.key):
                return f'"steps.{name}" is in "{there.body.key}" and runs after this step.'
            said = (
                f'"steps.{name}" is in "{there.body.key}", and a step of "{list_.key}" does not see how far that came.'
            )
            return f'{said} Read "error".'
        known = self._flat.steps.get(mine.id)
        if known is None or known.step is not mine or self._closure.reaches(mine.id, name):
            return None
        if self._closure.reaches(name, mine.id):
            return f'"steps.{name}" runs after this step. Only steps it waits for can be read.'
        return f'"steps.{name}" need not be finished by then. Add "{name}" to the needs of "{mine.id}".'


def _around(container: StepDocument) -> str:
    said = f'"steps.{container.id}" is around this step and has no output yet.'
    return f'{said} The output of the pass before is "item".' if "while" in container.fields else said
