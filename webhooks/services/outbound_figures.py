"""How outbound webhooks are doing: what `/internal/metrics` shows of them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Min, Q

from automation.models import DeliveryState
from brainops.core import clock
from brainops.core.metrics import Sample
from webhooks.models import OffReason, OutboundDelivery, Subscription

_STATES = {
    "well": Q(is_active=True, failing_since=None),
    "failing": Q(is_active=True, failing_since__isnull=False),
    "ended": Q(off_reason__in=(OffReason.GONE, OffReason.FAILING)),
}


def samples() -> Iterator[Sample]:
    """Subscriptions by how they are doing, and how late the latest delivery is."""
    found = Subscription.objects.aggregate(**{state: Count("pk", filter=wanted) for state, wanted in _STATES.items()})
    for state, count in found.items():
        said = "Subscriptions that arrive, fail now, or were switched off by their receiver."
        yield Sample("brainops_subscriptions", said, count, {"state": state})
    due = OutboundDelivery.objects.filter(state=DeliveryState.PENDING).aggregate(at=Min("next_at"))["at"]
    late = max(0.0, (clock.now() - due).total_seconds()) if due else 0.0
    yield Sample("brainops_outbound_overdue_seconds", "How late the latest outbound delivery is.", late, {})
