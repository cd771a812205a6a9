"""Receive a request at an endpoint: judge it, store it, start its run. Nothing is answered before it is stored."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from automation.services import limits, run_quota
from automation.services.quotas import BEYOND_QUOTA
from automation.store import bell
from automation.store.limits import LimitFull
from brainops.core import clock
from brainops.core.errors import AppError, Conflict, DatabaseBusy, InvalidInput, NotFound, TooLarge, TooManyRequests
from brainops.core.metrics import Counter
from webhooks.services import buffers, handshakes, pace, parts, quota, rows, uploads
from webhooks.services.asking import ConditionUnmet, noted
from webhooks.services.certificates import published
from webhooks.services.judging import attempt_of, judge
from webhooks.services.outcomes import (
    Accepted,
    Acknowledged,
    Genuine,
    Greeting,
    Held,
    Incoming,
    Judgement,
    Noted,
    Outcome,
    Refused,
    Repeated,
    Unfit,
)
from webhooks.services.states import EndpointState, known
from webhooks.store import accept, record, repeat
from webhooks.store.event import NewEvent

MOST_LOOKS = 4  # an endpoint that changes more often within one request is being edited by a program
FRESH_SECONDS = 1.0  # how old a state may be when a refusal is not checked in the database, under a flood

RECEIVED = Counter("brainops_webhook_requests_total", "Webhook requests by what became of them.", ("outcome",))
REFUSED = Counter("brainops_webhook_refusals_total", "Webhook requests that were refused, by the code.", ("reason",))


def receive(endpoint_id: UUID, incoming: Incoming) -> Outcome:
    """Judge, store and answer one request.

    Raises NotFound for an unknown endpoint, and DatabaseBusy for one that changes faster than it can be read.
    """
    state = _find(endpoint_id)
    for _ in range(MOST_LOOKS):
        now = clock.now()
        outcome = _settle(state, incoming, _judged(state, incoming, now), now)
        if outcome is not None:
            _count(outcome)
            return outcome
        state = known.read(endpoint_id)
    raise DatabaseBusy("This webhook is being changed right now. Send it again.", retry_after_seconds=1)


def _judged(state: EndpointState, incoming: Incoming, now: datetime) -> Judgement:
    """Judge; a scheme with certificates gets them first, since judging itself calls nobody."""
    if state.scheme.certificates is None:
        return judge(state, incoming, now=now)
    certificates = published.of(state, attempt_of(state, incoming, now))
    return judge(state, incoming, now=now, certificates=certificates)


def _find(endpoint_id: UUID) -> EndpointState:
    try:
        return known.get(endpoint_id)
    except NotFound as error:
        REFUSED.add(labels=(error.code,))
        raise


def _count(outcome: Outcome) -> None:
    RECEIVED.add(labels=(type(outcome).__name__.lower(),))
    if isinstance(outcome, Refused):
        REFUSED.add(labels=(outcome.error.code,))


def _settle(state: EndpointState, incoming: Incoming, judgement: Judgement, now: datetime) -> Outcome | None:
    """Store what was judged; None when it was judged by a state that is no longer so."""
    match judgement:
        case Genuine():
            return _start(state, incoming, judgement, now)
        case Noted():
            return _note(state, incoming, judgement)
        case Held():
            return _hold(state, incoming, judgement.genuine)
        case Greeting():
            return handshakes.answer(state, incoming, judgement)
        case Unfit():
            return _refuse(state, incoming, judgement)


def _start(state: EndpointState, incoming: Incoming, genuine: Genuine, now: datetime) -> Outcome | None:
    event = rows.accepted_event(incoming, genuine)
    has_files = parts.has_files(genuine.body)
    if has_files and (repeated := _repeated(state, genuine.delivery_id)):
        return repeated  # its files are not stored once more
    try:
        pace.require_pace(state)
        with run_quota.place(state.stored.workspace_id) as place:
            accepted = (_accept_files if has_files else _accept)(state, event, genuine, now)
            place.is_used = accepted is not None
    except BEYOND_QUOTA as error:
        return _repeated(state, genuine.delivery_id) or _refuse(state, incoming, _unfit(state, genuine, error))
    except ConditionUnmet as unmet:
        return _repeated(state, genuine.delivery_id) or _note(state, incoming, noted(genuine, unmet))
    except (InvalidInput, TooManyRequests, TooLarge, Conflict) as error:
        return _refuse(state, incoming, _unfit(state, genuine, error))
    except LimitFull as full:
        return _repeated(state, genuine.delivery_id) or _leave_out(state, incoming, genuine, full)
    except IntegrityError:
        accepted = None  # the delivery's event stands but its run was deleted, or the endpoint went away just now
    if accepted is None:
        return _repeated(state, genuine.delivery_id)
    bell.ring()
    return Accepted(event.id, accepted.run_id, accepted.run_uid, state.answering)


def _accept(state: EndpointState, event: NewEvent, genuine: Genuine, now: datetime) -> accept.Accepted | None:
    """One statement; with a limit a transaction, which keeps it locked."""
    run = rows.run_of(state, event, genuine, now=now)
    if run.slot is None:
        with connection.cursor() as cursor:
            return accept.accept(cursor, state.stored, event, run)
    with transaction.atomic(), connection.cursor() as cursor:
        accepted = accept.accept(cursor, state.stored, event, run)
        if accepted is not None:
            limits.after_start(run.slot, accepted.status)
    return accepted


def _accept_files(state: EndpointState, event: NewEvent, genuine: Genuine, now: datetime) -> accept.Accepted | None:
    """Store the files of a delivery with it: all of it stands afterwards, or nothing does."""
    with transaction.atomic():
        accepted = _accept(state, event, uploads.stored(state.stored.workspace_id, genuine), now)
        if accepted is None:
            transaction.set_rollback(True)
    return accepted


def _leave_out(state: EndpointState, incoming: Incoming, genuine: Genuine, full: LimitFull) -> Outcome | None:
    """The limit is full. Skipped on purpose it is acknowledged; else refused, and the sender may send it again."""
    if full.is_skip:
        noted = Noted(genuine.delivery_id, genuine.event_type, full.code, str(full))
        return _note(state, incoming, noted)
    return _refuse(state, incoming, _unfit(state, genuine, limits.refusal(full)))


def _unfit(state: EndpointState, genuine: Genuine, error: AppError) -> Unfit:
    """A verified delivery that is refused after all; without a signature anybody may have sent it."""
    return Unfit(error, genuine.delivery_id, is_verified=state.scheme.is_signed)


def _hold(state: EndpointState, incoming: Incoming, genuine: Genuine) -> Outcome | None:
    try:
        pace.require_pace(state)
        return buffers.hold(state, incoming, genuine) or _repeated(state, genuine.delivery_id)
    except TooManyRequests as error:
        return _repeated(state, genuine.delivery_id) or _refuse(state, incoming, _unfit(state, genuine, error))


def _note(state: EndpointState, incoming: Incoming, noted: Noted) -> Outcome | None:
    event = rows.noted_event(incoming, noted)
    with connection.cursor() as cursor:
        if record.record(cursor, state.stored, event):
            return Acknowledged(event.id, noted.reason, noted.detail)
    return _repeated(state, noted.delivery_id)


def _repeated(state: EndpointState, delivery_id: str | None) -> Outcome | None:
    """What the first copy of the delivery became; None when there is none, so it was the state that was old."""
    key = rows.dedupe_key(state, delivery_id)
    if delivery_id is None or key is None:
        return None
    with connection.cursor() as cursor:
        count = partial(repeat.count_repeat, cursor, endpoint_id=state.stored.endpoint_id, delivery_id=delivery_id)
        first = count()
        if first is None:
            run = repeat.find_run(cursor, workflow_id=state.workflow_id, dedupe_key=key)
            # both were committed between the two looks, unless the event was deleted
            first = run and (count() or run)
    if first is None:
        return None
    return Repeated(first.event_id, first.run_uid, first.reason, state.answering)


def _refuse(state: EndpointState, incoming: Incoming, unfit: Unfit) -> Outcome | None:
    endpoint_id = state.stored.endpoint_id
    # what a sender has signed is always stored, but for what is refused since there is too much of it
    is_kept = unfit.is_verified and not isinstance(unfit.error, TooManyRequests)
    omitted = 0 if is_kept else quota.rejected.take(state.stored.workspace_id, endpoint_id)
    if omitted is None:
        is_fresh = clock.monotonic() - state.read_at <= FRESH_SECONDS
        return Refused(unfit.error) if is_fresh else None
    event = rows.rejected_event(incoming, unfit, omitted=omitted)
    with connection.cursor() as cursor:
        if not record.record(cursor, state.stored, event):
            quota.rejected.give_back(endpoint_id, omitted)
            return None
        record.trim_rejected(cursor, state.stored, keep=quota.KEPT)
    return Refused(unfit.error, event.id)
