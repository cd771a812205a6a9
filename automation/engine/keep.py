"""Which results of a run its retry takes over: nothing that succeeded is done twice, nothing stale is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.document.parse import Document, StepDocument
from automation.engine.results import StepResult
from automation.engine.status import StepStatus

UNSEEN = frozenset({"name", "description"})  # words for people: changing them changes no result


def kept_paths(
    old: Document, new: Document, results: Mapping[str, StepResult], *, restart: str | None = None
) -> frozenset[str]:
    """The paths of the steps whose results stay.

    `old` is the document the results come from, `new` the one the retry runs. Without `restart` every failed step is
    done again; with it that step is, and a failure that the document lets pass (`on_error: continue`) stays. A step
    that was changed is done again, and so is everything that may have used a result that is done again.
    """
    before = {step.id: _definition(step) for step in old.body.steps}
    again = {
        step.id
        for step in new.body.steps
        if step.id == restart
        or before.get(step.id) != _definition(step)
        or not _stays(step, results.get(step.id), is_restart=restart is not None)
    }
    usable = {step.id for step in old.body.steps if _was_usable(step, results.get(step.id))}
    _spread(again, new, usable, results)
    return frozenset(step.id for step in new.body.steps if step.id not in again)


def failed_paths(results: Mapping[str, StepResult]) -> frozenset[str]:
    """The steps that failed, were cancelled, or ended nobody knows how."""
    bad = (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.CANCELLED)
    return frozenset(path for path, result in results.items() if result.status in bad)


def _definition(step: StepDocument) -> dict[str, Any]:
    return {key: value for key, value in step.fields.items() if key not in UNSEEN}


def _stays(step: StepDocument, result: StepResult | None, *, is_restart: bool) -> bool:
    if result is None:
        return False
    if result.status is StepStatus.FAILED:
        return is_restart and step.on_error == "continue"
    return result.status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED)


def _was_usable(step: StepDocument, result: StepResult | None) -> bool:
    """True when later steps may have used the old result. A step that never ended was used by nobody."""
    if result is None:
        return False
    if result.status is StepStatus.FAILED:
        return step.on_error == "continue"
    return result.status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED)


def _spread(again: set[str], document: Document, usable: set[str], results: Mapping[str, StepResult]) -> None:
    """Add to `again` what depends on it.

    That is whatever used a result that is done again, and whatever was skipped because of a step that is done again.
    """
    skipped = {path for path, result in results.items() if result.status is StepStatus.SKIPPED}
    needs = {step.id: {need.step for need in step.needs} for step in document.body.steps}
    is_growing = True
    while is_growing:
        found = {
            name
            for name, needed in needs.items()
            if name not in again and any(one in usable or name in skipped for one in needed & again)
        }
        again |= found
        is_growing = bool(found)
