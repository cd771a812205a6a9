"""The order of a body's steps: needed ones first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from automation.engine.document.parse import StepDocument


class PlanError(ValueError):
    """A document cannot be planned: it was not checked, or checked by another release."""


def in_order(steps: Sequence[StepDocument]) -> list[StepDocument]:
    """Needed steps first, otherwise as in the document (Kahn 1962, with a heap for the document's order).

    Raises PlanError for needs that name no step of the list, and for circles.
    """
    places = {step.id: place for place, step in enumerate(steps)}
    followers: dict[str, list[int]] = {step.id: [] for step in steps}
    left = [0] * len(steps)
    for place, step in enumerate(steps):
        for name in {need.step for need in step.needs}:
            if name not in places:
                raise PlanError(f'{step.label} needs "{name}", which is no step of this document.')
            followers[name].append(place)
            left[place] += 1
    ready = [place for place, count in enumerate(left) if count == 0]
    ordered = []
    while ready:
        step = steps[heapq.heappop(ready)]
        ordered.append(step)
        for place in followers[step.id]:
            left[place] -= 1
            if left[place] == 0:
                heapq.heappush(ready, place)
    if len(ordered) < len(steps):
        raise PlanError("Steps wait for each other in a circle.")
    return ordered
