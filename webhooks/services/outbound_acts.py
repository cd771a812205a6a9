"""What is done with deliveries: look at them, try a subscription, send one, some or all that failed once more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from automation.engine.notices import LIFETIME_SECONDS
from automation.models import DeliveryState
from automation.store.connection import Connection
from automation.store.events import time_text
from automation.store.notices import now as database_now
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.core.errors import Conflict, InvalidInput, Problem
from webhooks.models import OutboundDelivery, Subscription
from webhooks.services import outbound_sending, subscriptions
from webhooks.services.subscription_ends import place_of
from webhooks.store import outbound as store

TEST_TYPE = "brainops.subscription.test"
MOST_REPLAYED = 10_000  # deliveries of one request
PER_MINUTE = 300  # of a replay, unless said otherwise
MOST_PER_MINUTE = 6_000
FAILED = (DeliveryState.FAILED, DeliveryState.DROPPED)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay put on its way: how many, the last of them in so many seconds; `more` were left for another one."""

    count: int
    seconds: float
    more: int


def deliveries(caller: Caller, subscription_id: UUID | str) -> QuerySet[OutboundDelivery]:
    """What a subscription was sent and is to be sent, without bodies. Raises NotFound."""
    return OutboundDelivery.objects.filter(subscription=subscriptions.get(caller, subscription_id)).defer("body")


def delivery(caller: Caller, subscription_id: UUID | str, delivery_id: UUID | str) -> OutboundDelivery:
    """One delivery with its tries. Raises NotFound."""
    rows = OutboundDelivery.objects.filter(subscription=subscriptions.get(caller, subscription_id))
    return get_scoped(rows.prefetch_related("tries"), caller, delivery_id)


def test(caller: Caller, subscription_id: UUID | str) -> OutboundDelivery:
    """Send an event that is marked as a test, now and once, and return what became of it.

    Also to a subscription that is switched off: it may be tried before it is switched on. A failure changes nothing.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        subscription = subscriptions.locked(caller, subscription_id)
        now = database_now(cursor)
        made = OutboundDelivery.objects.create(attempts=1, sending_until=_lease(now), **_test_of(subscription, now))
        summary = f"Tested the subscription to {place_of(subscription.url)}."
        subscriptions.audit(caller, subscription, "test", summary)
    outbound_sending.send(made.id)
    return OutboundDelivery.objects.prefetch_related("tries").get(id=made.id)


def redeliver(caller: Caller, subscription_id: UUID | str, delivery_id: UUID | str) -> OutboundDelivery:
    """Send a delivery once more under its id. Raises NotFound, Conflict while it is under way or nobody hears."""
    with transaction.atomic(), connection.cursor() as cursor:
        subscription = _hearing(caller, subscription_id)
        rows = OutboundDelivery.objects.filter(subscription=subscription).select_for_update()
        row = get_scoped(rows, caller, delivery_id)
        if row.state == DeliveryState.PENDING:
            raise Conflict("It is still on its way and is tried again by itself.", code="delivery_pending")
        store.send_again(cursor, [row.id], pause_seconds=0, lifetime_seconds=LIFETIME_SECONDS)
        said = f"Sends the delivery {row.id} of the subscription to {place_of(subscription.url)} again."
        subscriptions.audit(caller, subscription, "redeliver", said)
    return OutboundDelivery.objects.prefetch_related("tries").get(id=row.id)


def replay(
    caller: Caller,
    subscription_id: UUID | str,
    *,
    ids: Sequence[UUID | str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    per_minute: int = PER_MINUTE,
) -> Replayed:
    """Send chosen deliveries once more, or all of a time that did not arrive; `per_minute` of them, the oldest first.

    Raises NotFound, Conflict when the subscription is switched off, InvalidInput for ids that are not its own.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        subscription = _hearing(caller, subscription_id)
        rows = OutboundDelivery.objects.filter(subscription=subscription, is_test=False).order_by("created_at", "id")
        if ids:
            _require_own(rows, ids)
            rows = rows.filter(id__in=ids).exclude(state=DeliveryState.PENDING)
        else:
            rows = rows.filter(state__in=FAILED, created_at__gte=since)
            rows = rows.filter(created_at__lt=until) if until else rows
        total = rows.count()
        chosen = list(rows.values_list("id", flat=True)[:MOST_REPLAYED])
        pause = 60 / per_minute
        count = store.send_again(cursor, chosen, pause_seconds=pause, lifetime_seconds=LIFETIME_SECONDS)
        said = f"Sends {count} deliveries of the subscription to {place_of(subscription.url)} again."
        subscriptions.audit(caller, subscription, "replay", said)
    return Replayed(count, round(max(count - 1, 0) * pause, 1), total - len(chosen))


def forget_old(connection: Connection, is_over: Callable[[], bool]) -> int:
    """Delete old deliveries until none is left or time is up; return how many went. 0 days: they stay for ever."""
    days: int = settings.BRAINOPS_RETENTION_WEBHOOK_DAYS
    total = 0
    while days and not is_over():
        started = time.monotonic()
        count = store.forget_deliveries(connection, days=days)
        total += count
        if count < store.PORTION:
            break
        time.sleep(time.monotonic() - started)  # as long again for others
    return total


def _hearing(caller: Caller, subscription_id: UUID | str) -> Subscription:
    """The locked subscription, if it hears of anything. Raises NotFound, Conflict."""
    caller.require(Permission.SUBSCRIPTIONS_REPLAY)
    rows = Subscription.objects.select_for_update(no_key=True).defer("secret", "previous_secret", "headers")
    subscription = get_scoped(rows, caller, subscription_id)
    if not subscription.is_active:
        raise Conflict("The subscription is switched off. Switch it on first.", code="subscription_off")
    return subscription


def _require_own(rows: QuerySet[OutboundDelivery], ids: Sequence[UUID | str]) -> None:
    known = {str(id_) for id_ in rows.filter(id__in=ids).values_list("id", flat=True)}
    problems = [
        Problem("not_found", f"There is no delivery {str(id_)[:60]!r} of this subscription.", f"/deliveries/{index}")
        for index, id_ in enumerate(ids)
        if str(id_) not in known
    ]
    if problems:
        raise InvalidInput.from_problems(problems)


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=store.LEASE_SECONDS)


def _test_of(subscription: Subscription, now: datetime) -> dict[str, Any]:
    told = {"subscription": {"id": str(subscription.id), "description": subscription.description}}
    return {
        "workspace_id": subscription.workspace_id,
        "subscription": subscription,
        "event_id": f"test {uuid4()}",
        "type": TEST_TYPE,
        "body": {"type": TEST_TYPE, "timestamp": time_text(now), "data": told},
        "is_test": True,
        "next_at": _lease(now),
        "ends_at": now,
    }
