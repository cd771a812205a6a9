"""The test address of a webhook: listens while a person has opened it, keeps what comes as a sample, counts nothing.

A delivery is judged as the webhook itself would, whether that is switched on or not, and takes no name from it. Where
that was asked for, it starts a run of the newest version in test mode, which is not counted against any quota.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet

from automation.services import limits, waiting
from automation.store import bell
from automation.store.intake import insert_run
from automation.store.limits import LimitFull
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import AppError, Conflict, NotFound, TooManyRequests
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import limiter
from webhooks.models import TestDelivery, WebhookEndpoint
from webhooks.services import rows, uploads
from webhooks.services.asking import ConditionUnmet
from webhooks.services.certificates import published
from webhooks.services.judging import attempt_of, judge
from webhooks.services.outcomes import Genuine, Greeting, Held, Incoming, Judgement, Noted, Unfit
from webhooks.services.parts import FilePart, has_files, placed
from webhooks.services.states import EndpointState, state_of, unknown

LONGEST_LISTEN_SECONDS = 3600
KEPT = 50  # newest ones of an endpoint
KEPT_BODY_BYTES = 64 * 1024
AT_ONCE, A_SECOND = 30, 1.0  # deliveries to one test address
LOOK_SECONDS = 0.3
_RELATED = ("trigger", "trigger__workflow", "trigger__workflow__current_version")


class NotListening(NotFound):
    """Nobody has opened the test address. Answered as an address that is none."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a request to a test address."""

    delivery: TestDelivery
    judgement: Judgement


def listen(caller: Caller, webhook_id: UUID, *, seconds: int, starts_runs: bool) -> WebhookEndpoint:
    """Open the test address for some time, or for longer. Raises NotFound, PermissionDenied."""
    until = clock.now() + timedelta(seconds=seconds)
    what = f"Opened the test address for {seconds} seconds{', with test runs' if starts_runs else ''}."
    return _set(caller, webhook_id, until=until, starts_runs=starts_runs, action="webhook.listen", summary=what)


def stop_listening(caller: Caller, webhook_id: UUID) -> WebhookEndpoint:
    """Close the test address. Raises NotFound, PermissionDenied."""
    what = "Closed the test address."
    return _set(caller, webhook_id, until=None, starts_runs=False, action="webhook.stop_listening", summary=what)


def find(endpoint: WebhookEndpoint) -> QuerySet[TestDelivery]:
    """What came to the test address of an endpoint, newest first."""
    return TestDelivery.objects.filter(endpoint=endpoint)


def get(endpoint: WebhookEndpoint, delivery_id: UUID) -> TestDelivery:
    """One of them. Raises NotFound."""
    try:
        return find(endpoint).get(id=delivery_id)
    except (TestDelivery.DoesNotExist, ValidationError) as error:
        raise NotFound from error


def latest(endpoint: WebhookEndpoint, *, after: UUID | None = None, seconds: float = 0.0) -> TestDelivery | None:
    """The newest one, or with `after` the first that came later; waits for it up to `seconds`, if a place is free."""
    room = waiting.room()
    if not (seconds and room.take_seat()):
        return _newest(endpoint, after)
    ends_at = time.monotonic() + seconds
    try:
        while (found := _newest(endpoint, after)) is None and time.monotonic() < ends_at:
            time.sleep(LOOK_SECONDS)
    finally:
        room.give_seat_back()
    return found


def take(test_id: UUID, incoming: Incoming) -> Tried:
    """Judge and store a request to a test address. Raises NotFound, NotListening, Conflict and TooManyRequests."""
    endpoint = WebhookEndpoint.objects.select_related(*_RELATED).filter(test_id=test_id).first()
    if endpoint is None:
        raise unknown()
    if endpoint.listens_until is None or endpoint.listens_until <= clock.now():
        raise NotListening(unknown().message)
    if endpoint.trigger.workflow.current_version_id is None:
        raise Conflict("The workflow of this webhook has no version yet. Save it first.", code="workflow_empty")
    _require_pace(endpoint)
    now, state = clock.now(), _as_if_on(state_of(endpoint))
    judgement = judge(state, incoming, now=now, certificates=published.of(state, attempt_of(state, incoming, now)))
    delivery = _shown(endpoint, incoming, judgement)
    if isinstance(judgement, Genuine):
        _tell(delivery, state, incoming, judgement, now, starts_run=endpoint.listen_starts_runs)
    with transaction.atomic():
        delivery.save(force_insert=True)
        too_old = find(endpoint).values_list("id", flat=True)[KEPT : KEPT + 100]
        TestDelivery.objects.filter(id__in=list(too_old)).delete()
    return Tried(delivery, judgement)


def _set(
    caller: Caller, webhook_id: UUID, *, until: datetime | None, starts_runs: bool, action: str, summary: str
) -> WebhookEndpoint:
    with transaction.atomic():
        queryset = WebhookEndpoint.objects.select_related("trigger__workflow").select_for_update(of=("self",))
        endpoint = get_scoped(queryset, caller, webhook_id)
        caller.require(Permission.WEBHOOKS_TEST, created_by=endpoint.trigger.workflow.owner_id)
        endpoint.listens_until, endpoint.listen_starts_runs = until, starts_runs
        endpoint.save(update_fields=["listens_until", "listen_starts_runs"])  # the webhook itself stays as it is
        record(
            actor=caller,
            workspace_id=endpoint.workspace_id,
            action=action,
            target_kind="webhook",
            target_id=endpoint.id,
            summary=summary,
        )
    return endpoint


def _newest(endpoint: WebhookEndpoint, after: UUID | None) -> TestDelivery | None:
    if after is None:
        return find(endpoint).first()
    known = find(endpoint).filter(id=after).first()
    rest = find(endpoint) if known is None else find(endpoint).filter(received_at__gt=known.received_at)
    return rest.order_by("received_at", "id").first()


def _require_pace(endpoint: WebhookEndpoint) -> None:
    verdict = limiter.take(Bucket("webhook-tests", f"{endpoint.workspace_id}:{endpoint.id}", A_SECOND, AT_ONCE))
    if verdict.refused is not None:
        said = f"A test address takes {A_SECOND:g} delivery a second, {AT_ONCE} at once."
        raise TooManyRequests(said, code="rate_limited", retry_after_seconds=verdict.wait_seconds)


def _as_if_on(state: EndpointState) -> EndpointState:
    """Trying comes before switching on."""
    stored = replace(state.stored, trigger_is_active=True, workflow_is_active=True)
    return replace(state, stored=stored, is_buffering=False, can_start=True)


def _shown(endpoint: WebhookEndpoint, incoming: Incoming, judgement: Judgement) -> TestDelivery:
    status, reason, detail = _verdict(judgement)
    came = rows.as_it_came(incoming)
    return TestDelivery(
        id=came["id"],
        workspace_id=endpoint.workspace_id,
        endpoint=endpoint,
        status=status,
        reason=reason,
        detail=detail,
        delivery_id=getattr(judgement, "delivery_id", None),
        event_type=getattr(judgement, "event_type", ""),
        body=incoming.body[:KEPT_BODY_BYTES],
        **{name: came[name] for name in ("method", "path", "headers", "query", "content_type", "size_bytes")},
        remote_addr=came["remote_addr"],
    )


def _verdict(judgement: Judgement) -> tuple[int, str, str]:
    """Status, code and sentence that the webhook itself would have come to."""
    match judgement:
        case Genuine() | Held():
            return 202, "", ""
        case Noted():
            return 200, judgement.reason, judgement.detail
        case Greeting():
            return 200, "handshake", judgement.reply.note
        case Unfit():
            error = judgement.error
            return error.status, judgement.reason or error.code, judgement.detail or error.message


def _tell(
    delivery: TestDelivery,
    state: EndpointState,
    incoming: Incoming,
    genuine: Genuine,
    now: datetime,
    *,
    starts_run: bool,
) -> None:
    """Say what a run would see, and start one where that was asked for."""
    event = replace(rows.accepted_event(replace(incoming, is_test=True), genuine), id=delivery.id)
    shown = _outlined(genuine)
    delivery.trigger, delivery.inputs = rows.trigger_scope(event, shown, now), shown.inputs
    try:
        if not starts_run:
            rows.run_of(state, event, shown, now=now)  # what would keep it from starting
            return
        with transaction.atomic():
            kept = uploads.stored(state.stored.workspace_id, genuine) if has_files(genuine.body) else genuine
            run = replace(rows.run_of(state, event, kept, now=now), dedupe_key=None)
            with connection.cursor() as cursor:
                delivery.run_uid = insert_run(cursor, run).uid
            delivery.trigger, delivery.inputs = run.trigger, run.inputs
            bell.ring_on_commit()
    except ConditionUnmet as unmet:
        delivery.run_uid, delivery.status, delivery.reason, delivery.detail = None, 200, unmet.code, unmet.message
    except LimitFull as full:
        _refuse(delivery, limits.refusal(full))
    except AppError as error:
        _refuse(delivery, error)


def _outlined(genuine: Genuine) -> Genuine:
    """The delivery with what is known of its files: none is stored of a sample."""
    body, inputs = placed(genuine.body, FilePart.outline), placed(genuine.inputs, FilePart.outline)
    return replace(genuine, body=body, inputs=inputs)


def _refuse(delivery: TestDelivery, error: AppError) -> None:
    delivery.run_uid = None
    delivery.status, delivery.reason, delivery.detail = error.status, error.code, error.message
