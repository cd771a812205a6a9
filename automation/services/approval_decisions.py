"""Decide approvals: approve, reject, answer, reassign. Each is one transaction under the lock of the run's row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from automation.engine.checker import Checker
from automation.engine.points import reach
from automation.engine.status import RunStatus
from automation.models import Approval, ApprovalKind, ApprovalState, ApprovalVote
from automation.services import approvals
from automation.services.approval_rights import Person, checked_assignees, person_of, refuse_taking_over
from automation.services.field_checks import problems
from automation.store.bell import ring_on_commit
from automation.store.news import give_news
from automation.store.signals import lock_run, too_large
from brainops.accounts.caller import Caller
from brainops.audit.services import record
from brainops.core import clock, json_gate
from brainops.core.errors import AppError, Conflict, InvalidInput, Problem, TooLarge

State = ApprovalState
ANSWERS = (State.HAPPENED, State.REPEAT, State.FAIL)
WORDS = {State.APPROVED: "approve", State.REJECTED: "reject"}

Json = Any


def approve(caller: Caller, approval_id: UUID | str, *, comment: str = "", data: Json = None) -> Approval:
    """Approve. The last of `quorum` people decides; `data` fills the form.

    The same person's second identical answer changes nothing. Raises NotFound, PermissionDenied, InvalidInput for
    data that does not fit, Conflict: `approval_decided`, `approval_expired`, `approval_withdrawn`, `other_question`.
    """
    return _vote(caller, approval_id, State.APPROVED, comment=comment, fill=lambda row: _filled(row, data))


def reject(caller: Caller, approval_id: UUID | str, *, comment: str = "") -> Approval:
    """Reject, whatever others said. Raises as `approve` does."""
    return _vote(caller, approval_id, State.REJECTED, comment=comment, fill=lambda _row: None)


def answer(caller: Caller, approval_id: UUID | str, answer: str, *, comment: str = "", output: Json = None) -> Approval:
    """Say what became of an effect nobody knows about: it happened (with this output), repeat it, or let it fail."""
    verdict = State(answer)
    if output is not None and verdict is not State.HAPPENED:
        raise _invalid("unexpected", '"output" goes with the answer "happened" only. Leave it out.', "/output")
    return _vote(caller, approval_id, verdict, comment=comment, fill=lambda _row: output)


def reassign(caller: Caller, approval_id: UUID | str, assignees: Sequence[str]) -> Approval:
    """Ask others instead. Who is no admin hands on only what is their own."""
    with _open(caller, approval_id) as (approval, person):
        person.require(approval)
        _refuse_closed(approval)
        wanted = checked_assignees(caller, assignees)
        refuse_taking_over(person, approval, wanted)
        before = approval.assignees
        if wanted != before:
            approval.assignees = wanted
            approval.save(update_fields=["assignees"])
            _audit(person, approval, "reassign", "Reassigned", {"assignees": [before, wanted]})
    return approvals.get(caller, approval_id)


def check_data(approval: Approval, data: Json) -> None:
    """Raise InvalidInput unless this would do as the data of an approval."""
    _filled(approval, data)


def _vote(
    caller: Caller, approval_id: UUID | str, verdict: State, *, comment: str, fill: Callable[[Approval], Json]
) -> Approval:
    with _open(caller, approval_id) as (approval, person):
        _refuse_other_question(approval, verdict)
        person.require(approval)
        mine = approval.votes.filter(Q(voter=person.voter) | Q(user_id=caller.user_id, user_id__isnull=False)).first()
        if mine is None or mine.verdict != verdict:
            _refuse_closed(approval)
            _count(approval, person, mine, ApprovalVote(verdict=verdict, comment=comment, data=fill(approval)))
    return approvals.get(caller, approval_id)


def _count(approval: Approval, person: Person, mine: ApprovalVote | None, vote: ApprovalVote) -> None:
    """Keep a vote; while nothing is decided, a person's last word counts. The deciding one wakes the run."""
    vote.approval, vote.user_id, vote.voter = approval, person.caller.user_id, person.voter
    if mine is not None:
        mine.delete()
    vote.save(force_insert=True)
    given = approval.votes.filter(verdict=State.APPROVED).count()
    is_decided = vote.verdict != State.APPROVED or given >= approval.quorum
    if is_decided:
        approval.state, approval.decided_by, approval.decided_at = vote.verdict, person.voter, clock.now()
        approval.comment, approval.data = vote.comment, vote.data
        approval.save(update_fields=["state", "decided_by", "decided_at", "comment", "data"])
        with connection.cursor() as cursor:
            give_news(cursor, [approval.run_id])
        reach("in_decision")
        ring_on_commit()
    verb = WORDS.get(State(vote.verdict), "answer")
    said = f"{State(vote.verdict).label.capitalize()}" if verb != "answer" else f'Answered "{vote.verdict}" to'
    progress = "" if is_decided else f", {given} of {approval.quorum}"
    _audit(person, approval, verb, said, {"state": [State.PENDING, approval.state]}, progress)


@contextmanager
def _open(caller: Caller, approval_id: UUID | str) -> Iterator[tuple[Approval, Person]]:
    """An approval to be changed. The run's row is locked first, as by everything that wakes or parks a run."""
    found = approvals.get(caller, approval_id)
    person = person_of(caller)
    with transaction.atomic():
        with connection.cursor() as cursor:
            status = lock_run(cursor, found.run_id)
        approval = Approval.objects.select_for_update().get(id=found.id)
        approval.run = found.run
        approval.run.status = RunStatus.CANCELLED if status is None else status
        yield approval, person


def _refuse_other_question(approval: Approval, verdict: State) -> None:
    is_about_effect = approval.kind == ApprovalKind.UNKNOWN
    if is_about_effect == (verdict in ANSWERS):
        return
    said = (
        "asks what became of an effect: answer it" if is_about_effect else "asks for a yes or no: approve or reject it"
    )
    raise Conflict(f"This approval {said}.", code="other_question", details={"kind": approval.kind})


def _refuse_closed(approval: Approval) -> None:
    """Raise unless the approval can still be decided."""
    state = State(approval.state)
    if state is State.PENDING and approval.expires_at and approval.expires_at <= clock.now():
        state = State.EXPIRED
    if state is State.PENDING and (RunStatus(approval.run.status).is_final or approvals.is_step_over(approval)):
        state = State.WITHDRAWN
    if state is State.PENDING:
        return
    details = {"state": state, "decided_by": approval.decided_by}
    if state is State.WITHDRAWN:
        said = f"The approval is withdrawn: its run is {RunStatus(approval.run.status).word} and waits for it no more."
        raise Conflict(said, code="approval_withdrawn", details=details)
    if state is State.EXPIRED:
        raise Conflict("The approval expired before it was decided.", code="approval_expired", details=details)
    said = f"{approval.decided_by} has decided it already: {state}. Nothing was changed."
    raise Conflict(said, code="approval_decided", details=details)


def _filled(approval: Approval, data: Json) -> Json:
    """The data for the form, with declared defaults for what is missing. Raises InvalidInput with everything wrong."""
    if approval.form is None:
        if data is not None:
            raise _invalid("unexpected", 'This approval has no form. Leave "data" out.', "/data")
        return None
    filled = {**_defaults(approval.form), **data} if isinstance(data, dict) else data
    filled = _defaults(approval.form) if filled is None else filled
    found = [
        Problem(one.code, one.message, f"/data{one.pointer}")
        for one in problems(Checker(approval.form, is_given=True), filled)
    ]
    if found:
        raise InvalidInput.from_problems(found)
    if refused := too_large("The data", json_gate.encode(filled).decode()):
        raise TooLarge(refused)
    return filled


def _defaults(form: Mapping[str, Json]) -> dict[str, Json]:
    rules = form.get("properties", {})
    return {name: rule["default"] for name, rule in rules.items() if isinstance(rule, dict) and "default" in rule}


def _invalid(code: str, said: str, at: str) -> AppError:
    return InvalidInput(said, problems=[Problem(code, said, at)])


def _audit(
    person: Person, approval: Approval, verb: str, said: str, changes: Mapping[str, Json], progress: str = ""
) -> None:
    as_admin = "" if person.is_assigned(approval) else ", as an admin who was not asked"
    record(
        actor=person.caller,
        workspace_id=approval.workspace_id,
        action=f"approval.{verb}",
        target_kind="approval",
        target_id=approval.id,
        summary=f"{said} {approval.title!r} of run {approval.run.uid}{progress}{as_admin}.",
        changes=changes,
    )
