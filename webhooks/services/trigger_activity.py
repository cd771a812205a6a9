"""How the triggers of webhooks are doing: what came last, and whether it was taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Now

from automation.triggers.contract import Activity, TriggerRow
from brainops.core import clock
from webhooks.models import EventVerdict, WebhookEndpoint, WebhookEvent

DAY = timedelta(days=1)
OF_CONDITIONS = {"condition_false": "condition false", "condition_failed": "condition failed"}
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def activity(triggers: Sequence[TriggerRow]) -> Mapping[UUID, Activity]:
    """What came to the endpoints of some triggers, with a number of queries that does not grow with them."""
    endpoints = _endpoints([trigger.id for trigger in triggers])
    last = WebhookEvent.objects.defer("body").in_bulk([one.last_id for one in endpoints if one.last_id])
    counts = _counts([one.id for one in endpoints])
    return {one.trigger_id: _activity(one, last.get(one.last_id), counts.get(one.id, {})) for one in endpoints}


def _endpoints(trigger_ids: list[UUID]) -> list[Any]:
    own = WebhookEvent.objects.filter(endpoint=OuterRef("pk"))
    good, bad = own.exclude(verdict=EventVerdict.REJECTED), own.filter(verdict=EventVerdict.REJECTED)
    rows: QuerySet[Any] = WebhookEndpoint.objects.filter(trigger_id__in=trigger_ids)
    rows = rows.annotate(
        last_id=Subquery(own.order_by("-received_at", "-id").values("id")[:1]),
        good_at=Subquery(good.order_by("-received_at", "-id").values("received_at")[:1]),
    )
    since = bad.filter(received_at__gt=Coalesce(OuterRef("good_at"), Value(_EVER))).order_by("received_at")
    return list(rows.annotate(bad_since=Subquery(since.values("received_at")[:1])))


def _counts(endpoint_ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    rows = WebhookEvent.objects.filter(endpoint_id__in=endpoint_ids, received_at__gt=Now() - DAY)
    found: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    counted = rows.order_by().values("endpoint_id", "verdict", "reason").annotate(count=Count("id"))
    for row in counted:
        word = OF_CONDITIONS.get(row["reason"]) or EventVerdict(row["verdict"]).label
        found[row["endpoint_id"]][str(word)] += row["count"]
    return {endpoint_id: dict(counts) for endpoint_id, counts in found.items()}


def _activity(endpoint: Any, last: WebhookEvent | None, counts: Mapping[str, int]) -> Activity:
    if last is None:
        return Activity(counts=counts)
    known = Activity(last.received_at, counts)
    if last.reason == "condition_failed":
        return Activity(last.received_at, counts, last.detail, last.reason, last.received_at)
    if last.verdict != EventVerdict.REJECTED or not _is_trouble(endpoint, last):
        return known
    return Activity(last.received_at, counts, last.detail, last.reason, endpoint.bad_since)


def _is_trouble(endpoint: Any, last: WebhookEvent) -> bool:
    """Whether a refusal says that something is wrong: anybody may send what is refused while the sender is heard."""
    return last.is_verified or endpoint.good_at is None or clock.now() - endpoint.good_at > DAY
