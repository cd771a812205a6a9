"""The rows that a judged request becomes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from automation.engine.expressions import ExpressionError, Template
from automation.engine.limits import Place, ordered_slot, place_of
from automation.models import RunMode
from automation.services.limits import key_refused
from automation.store.intake import NewRun
from brainops.core.errors import Conflict
from brainops.core.redact import redact_text
from webhooks.event_ids import new_event_id
from webhooks.models import EventVerdict
from webhooks.services.asking import ask
from webhooks.services.judging import LONGEST_ID
from webhooks.services.keeping import keep_headers, keep_query, readable
from webhooks.services.outcomes import Genuine, Greeting, Incoming, Noted, Unfit
from webhooks.services.quota import KEPT_BODY_BYTES
from webhooks.services.states import EndpointState
from webhooks.store.buffer import Waiting
from webhooks.store.event import NewEvent

LONGEST_METHOD = 20
LARGEST_SIZE = (1 << 31) - 1  # what the column holds; a sender may declare more


def accepted_event(incoming: Incoming, genuine: Genuine) -> NewEvent:
    """The event of a delivery that starts a run."""
    return NewEvent(
        verdict=EventVerdict.ACCEPTED,
        status=202,
        delivery_id=genuine.delivery_id,
        event_type=genuine.event_type,
        body=incoming.body,
        is_verified=True,
        **as_it_came(incoming),
    )


def noted_event(incoming: Incoming, noted: Noted) -> NewEvent:
    """The event of a delivery that starts no run."""
    return NewEvent(
        verdict=EventVerdict.ACKNOWLEDGED,
        status=200,
        reason=noted.reason,
        detail=noted.detail,
        delivery_id=noted.delivery_id,
        event_type=noted.event_type,
        body=incoming.body,
        is_verified=True,
        **as_it_came(incoming),
    )


def buffered_event(incoming: Incoming, genuine: Genuine) -> NewEvent:
    """The event of a delivery that waits."""
    return NewEvent(
        verdict=EventVerdict.BUFFERED,
        status=202,
        reason="buffered",
        detail="It starts its run as soon as the webhook and its workflow are switched on, in the order of arrival.",
        delivery_id=genuine.delivery_id,
        event_type=genuine.event_type,
        body=incoming.body,
        is_verified=True,
        **as_it_came(incoming),
    )


def handshake_event(incoming: Incoming, greeting: Greeting, *, most: int) -> NewEvent:
    """The event of an answered handshake, with at most `most` bytes of its body."""
    return NewEvent(
        verdict=EventVerdict.ACKNOWLEDGED,
        status=200,
        reason="handshake",
        detail=greeting.reply.note,
        delivery_id=None,
        event_type=greeting.event_type,
        body=incoming.body[:most],
        is_verified=greeting.is_proven,
        **as_it_came(incoming),
    )


def rejected_event(incoming: Incoming, unfit: Unfit, *, omitted: int) -> NewEvent:
    """The event of a refused request: only the head of its body is kept, unless its sender proved itself."""
    return NewEvent(
        verdict=EventVerdict.REJECTED,
        status=unfit.error.status,
        reason=unfit.reason or unfit.error.code,
        detail=readable(redact_text(unfit.detail or unfit.error.message)),
        delivery_id=unfit.delivery_id and readable(unfit.delivery_id)[:LONGEST_ID],
        omitted=omitted,
        body=incoming.body if unfit.is_verified else incoming.body[:KEPT_BODY_BYTES],
        is_verified=unfit.is_verified,
        **as_it_came(incoming),
    )


def stored_event(waiting: Waiting) -> NewEvent:
    """The event of a delivery that waited, as it is stored already."""
    return NewEvent(
        id=waiting.id,
        verdict=EventVerdict.ACCEPTED,
        status=202,
        delivery_id=waiting.delivery_id,
        headers=waiting.headers,
        query=waiting.query,
        body=b"",
        size_bytes=waiting.size_bytes,
        remote_addr=waiting.remote_addr,
        event_type=waiting.event_type,
        content_type=waiting.content_type,
        method=waiting.method,
        is_test=waiting.is_test,
        is_verified=True,
    )


def run_of(state: EndpointState, event: NewEvent, genuine: Genuine, *, now: datetime) -> NewRun:
    """The run that a delivery starts. Its dedupe key makes it one per delivery, whatever happens to the event.

    Raises ConditionUnmet, and InvalidInput when the key of a limit cannot be told from the delivery.
    """
    trigger, mode = trigger_scope(event, genuine, now), _mode(state, event)
    ask(state, genuine, trigger)
    place = _place(state, genuine.inputs, trigger, is_awaited=mode == RunMode.SYNC)
    return NewRun(
        workspace_id=state.stored.workspace_id,
        workflow_id=state.workflow_id,
        version_id=_version_of(state),
        trigger_id=state.trigger_id,
        inputs=genuine.inputs,
        trigger=trigger,
        mode=mode,
        dedupe_key=dedupe_key(state, genuine.delivery_id),
        deadline_seconds=state.timeout_seconds,
        calls_on_failure=state.calls_on_failure,
        queue=place.queue,
        priority=place.priority,
        slot=place.slot,
        gathering=place.gathering,
    )


def dedupe_key(state: EndpointState, delivery_id: str | None) -> str | None:
    """The run's key, None when the sender does not name its deliveries."""
    return None if delivery_id is None else f"hook:{state.stored.endpoint_id}:{delivery_id}"


def _place(state: EndpointState, inputs: Any, trigger: Any, *, is_awaited: bool) -> Place:
    try:
        place = place_of(state.settings, state.workflow_id, inputs=inputs, trigger=trigger, is_awaited=is_awaited)
        return place if state.front.order_by is None else _in_order(state, place, state.front.order_by, inputs, trigger)
    except ExpressionError as error:
        raise key_refused(error) from error


def _in_order(state: EndpointState, place: Place, order_by: Template, inputs: Any, trigger: Any) -> Place:
    """The place of a start that waits for earlier deliveries of its key. A run counts under one limit only."""
    if place.slot or place.gathering:
        raise Conflict(
            "This webhook keeps an order (order_by), and its workflow has settings.concurrency or settings.debounce by "
            "now: a run cannot wait for both. Take one of the two away.",
            code="order_conflict",
        )
    slot = ordered_slot(state.workflow_id, str(state.stored.endpoint_id), order_by, inputs=inputs, trigger=trigger)
    return replace(place, slot=slot)


def _version_of(state: EndpointState) -> UUID:
    if state.stored.version_id is None:
        raise ValueError(f"Workflow {state.workflow_id} has no version: judging should have refused this delivery.")
    return state.stored.version_id


def _mode(state: EndpointState, event: NewEvent) -> int:
    if event.is_test:
        return RunMode.TEST.value
    return (RunMode.SYNC if state.wait_seconds else RunMode.ASYNC).value


def trigger_scope(event: NewEvent, genuine: Genuine, now: datetime) -> dict[str, Any]:
    """What expressions see as `trigger`."""
    return {
        "kind": "webhook",
        "event": genuine.event_type,
        "delivery": genuine.delivery_id,
        "body": genuine.body,
        **({} if genuine.text is None else {"text": genuine.text}),
        "method": event.method,
        "path": dict(genuine.path),
        "headers": event.headers,
        "query": event.query,
        "content_type": event.content_type,
        "received_at": now.isoformat(),
        "event_id": str(event.id),
        "is_test": event.is_test,
    }


def as_it_came(incoming: Incoming) -> dict[str, Any]:
    """What is kept of every request, whatever becomes of it."""
    return {
        "id": new_event_id(),
        "method": readable(incoming.method)[:LONGEST_METHOD],
        "path": readable(incoming.path),
        "headers": keep_headers(incoming.headers),
        "query": keep_query(incoming.query),
        "content_type": readable(incoming.headers.get("content-type", "")),
        "size_bytes": min(incoming.size_bytes, LARGEST_SIZE),
        "remote_addr": incoming.remote_addr,
        "is_test": incoming.is_test,
    }
