"""Deliveries that wait while their webhook or its workflow is switched off, where the webhook says `buffer`.

They are verified and checked when they come, answered 202, and started in the order of arrival when both are switched
on again: by the tick, a portion a transaction. What comes meanwhile queues up behind them.
"""

from __future__ import annotations

import time
from contextlib import suppress
from uuid import UUID

from django.db import connection, transaction

from automation.engine.status import RunStatus
from automation.services import limits, run_quota
from automation.services.quotas import BEYOND_QUOTA
from automation.store import bell
from automation.store.limits import LimitFull
from brainops.core.errors import AppError, NotFound, TooManyRequests
from webhooks.models import EventVerdict
from webhooks.services import rows, states, uploads
from webhooks.services.asking import ConditionUnmet
from webhooks.services.judging import asked_inputs, given_by
from webhooks.services.keeping import readable
from webhooks.services.outcomes import Buffered, Genuine, Incoming
from webhooks.services.readings import Reading
from webhooks.services.states import EndpointState
from webhooks.store import buffer
from webhooks.store.buffer import Waiting

MOST = 10_000  # deliveries that wait at one endpoint
MOST_BYTES = 64 << 20  # of their bodies
COME_BACK_SECONDS = 60
RELEASE_SECONDS = 1.0  # of one tick


def hold(state: EndpointState, incoming: Incoming, genuine: Genuine) -> Buffered | None:
    """Store a delivery that waits; None when it came before or the state is old. Raises TooManyRequests."""
    event = rows.buffered_event(incoming, genuine)
    with transaction.atomic(), connection.cursor() as cursor:
        if not buffer.lock(cursor, state.stored):
            return None
        count, size_bytes = buffer.fullness(cursor, state.stored.endpoint_id)
        if count >= MOST or size_bytes + event.size_bytes > MOST_BYTES:
            raise TooManyRequests(
                f"{count:,} deliveries wait at this webhook, which is switched off: no more may. Send it again later.",
                code="buffer_full",
                details={"waiting": count, "limit": MOST, "size_bytes": size_bytes, "limit_bytes": MOST_BYTES},
                retry_after_seconds=COME_BACK_SECONDS,
            )
        return Buffered(event.id) if buffer.take_in(cursor, state.stored, event) else None


def release_due() -> int:
    """Start the runs of deliveries whose webhook is switched on again; returns how many."""
    until = time.monotonic() + RELEASE_SECONDS
    with connection.cursor() as cursor:
        endpoints = buffer.ready(cursor)
    released = 0
    for endpoint_id in endpoints:
        is_left = True
        while is_left and time.monotonic() < until:
            count = _release(endpoint_id)
            released += count
            is_left = count == buffer.PORTION
    if released:
        bell.ring()
    return released


def _release(endpoint_id: UUID) -> int:
    """Let a portion go in one transaction; less than one when none is left, or the next one has to wait."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not buffer.try_lock(cursor, endpoint_id):
            return 0
        with suppress(NotFound):
            return _release_locked(cursor, states.load(endpoint_id))
    return 0


def _release_locked(cursor: object, state: EndpointState) -> int:
    if not (state.is_active and state.can_start):
        return 0
    waiting = buffer.first(cursor, state.stored.endpoint_id)
    released = 0
    for one in waiting:
        try:
            with transaction.atomic():
                _start(cursor, state, one)
        except (*BEYOND_QUOTA, TooManyRequests):
            return released  # it and those behind it go when there is room again
        except LimitFull as full:
            _settle_full(cursor, one, full)
        except ConditionUnmet as unmet:
            _pass_over(cursor, one, unmet.code, unmet.message)
        except AppError as error:
            _refuse(cursor, one, error)
        released += 1
    if len(waiting) < buffer.PORTION:
        buffer.end(cursor, state.stored.endpoint_id)
    return released


def _start(cursor: object, state: EndpointState, one: Waiting) -> None:
    genuine = uploads.stored(state.stored.workspace_id, genuine_of(state, one))
    event = rows.stored_event(one)
    run = rows.run_of(state, event, genuine, now=one.received_at)
    with run_quota.place(state.stored.workspace_id):
        buffer.let_go(cursor, one.id, run)
    limits.after_start(run.slot, RunStatus.BLOCKED)


def genuine_of(state: EndpointState, one: Waiting) -> Genuine:
    """What a stored delivery says, read by the version that is the newest now. Raises what reading a body raises."""
    headers = {**one.headers, "content-type": one.content_type}
    body = bytes(one.body)
    reading = Reading(Incoming(headers, body, len(body)), state.scheme, most=state.max_body_bytes)
    data, path = reading.body(), state.front.path_of(one.path) or {}
    given = given_by(state, data, path, one.query)
    inputs, refusal = asked_inputs(state, given)
    return Genuine(one.delivery_id, one.event_type, data, inputs, path, reading.text(), refusal)


def _settle_full(cursor: object, one: Waiting, full: LimitFull) -> None:
    if not full.is_skip:
        _refuse(cursor, one, limits.refusal(full))
        return
    _pass_over(cursor, one, full.code, str(full))


def _pass_over(cursor: object, one: Waiting, code: str, said: str) -> None:
    verdict = EventVerdict.ACKNOWLEDGED
    buffer.settle(cursor, one.id, verdict=verdict, status=200, reason=code, detail=readable(said))


def _refuse(cursor: object, one: Waiting, error: AppError) -> None:
    verdict, detail = EventVerdict.REJECTED, readable(error.message)
    buffer.settle(cursor, one.id, verdict=verdict, status=error.status, reason=error.code, detail=detail)
