"""The dialog of a retry: where to start, which version, which inputs, and what follows from that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automation.engine.document import parse_document
from automation.looks.states import EFFECTS, Look
from automation.looks.wording import pretty
from automation.models import Run
from automation.services import payloads, retry_preview
from automation.services.retries import FAILED, LATEST, SAME, START, STEP_MARK, Repeat
from automation.services.retry_preview import Preview, RepeatedEffect
from brainops.accounts.caller import Caller
from brainops.accounts.scoping import get_scoped
from brainops.core import json_gate
from brainops.core.errors import AppError, NotFound

LONGEST_ORIGIN = 160


@dataclass(frozen=True, slots=True)
class RetryForm:
    """What was chosen. `inputs` is the text of the field, None when the inputs of the run are taken."""

    repeat: Repeat
    inputs: str | None = None
    inputs_problem: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a list to choose from."""

    value: str
    title: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class RetryView:
    """The dialog. `preview` is None and `refusals` say why when this retry is not possible."""

    workflow: str
    origins: Sequence[Choice]
    versions: Sequence[Choice]
    form: RetryForm
    old_inputs: str
    button: str
    preview: Preview | None
    refusals: Sequence[str]
    repeated: Sequence[tuple[RepeatedEffect, Look]]
    may_come: Sequence[RepeatedEffect]


def read(said: Mapping[str, Any]) -> RetryForm:
    """The choice in a form or an address."""
    origin = str(said.get("from", FAILED)).replace("\0", "")[:LONGEST_ORIGIN] or FAILED
    version = LATEST if said.get("version") == LATEST else SAME
    if said.get("edit") != "yes":
        return RetryForm(Repeat(origin, version))
    text = str(said.get("inputs", ""))
    try:
        value = json_gate.read(text.encode() or b"{}")
    except AppError as refusal:
        return RetryForm(Repeat(origin, version), text, f"Inputs: {refusal.message}")
    if not isinstance(value, dict):
        return RetryForm(Repeat(origin, version), text, "Inputs: a JSON object is expected, as in {}.")
    return RetryForm(Repeat(origin, version, value), text)


def view_of(caller: Caller, uid: UUID, form: RetryForm) -> RetryView:
    """What the dialog shows for this choice. Raises NotFound when there is no such run."""
    run = get_scoped(Run.objects.select_related("data", "version", "workflow__current_version"), caller, uid, by="uid")
    preview, refusals = None, []
    try:
        preview = retry_preview.preview(caller, uid, form.repeat)
    except NotFound:
        raise
    except AppError as refusal:
        refusals = [problem.message for problem in refusal.problems] or [refusal.message]
    effects = preview.effects if preview else ()
    return RetryView(
        workflow=run.workflow.name,
        origins=_origins(run, form.repeat.origin),
        versions=_versions(run, form.repeat.version),
        form=form,
        old_inputs=pretty(payloads.whole_input(run).get("inputs") or {}),
        button=_button(form.repeat),
        preview=preview,
        refusals=refusals,
        repeated=[(one, EFFECTS[one.was or "confirmed"]) for one in effects if one.has_happened],
        may_come=[one for one in effects if not one.has_happened],
    )


def _origins(run: Run, chosen: str) -> list[Choice]:
    steps = parse_document(run.version.definition).steps()
    known = {START: "The start: every step runs again", FAILED: "What failed: keep what succeeded"}
    known |= {f"{STEP_MARK}{step.id}": f"Step {step.name or step.id}" for step in steps if not step.around.is_in_loop}
    if chosen not in known and f"{STEP_MARK}{chosen}" in known:
        chosen = f"{STEP_MARK}{chosen}"
    if chosen not in known:
        known[chosen] = chosen.removeprefix(STEP_MARK)
    return [Choice(value, title, value == chosen) for value, title in known.items()]


def _versions(run: Run, chosen: str) -> list[Choice]:
    latest = run.workflow.current_version
    return [
        Choice(SAME, f"The same version, {run.version.number}", chosen == SAME),
        Choice(LATEST, f"The latest version, {latest.number if latest else run.version.number}", chosen == LATEST),
    ]


def _button(repeat: Repeat) -> str:
    if repeat.origin == START:
        return "Run again"
    return "Retry from failed step" if repeat.origin == FAILED else f"Retry from {repeat.step}"
