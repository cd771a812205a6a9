"""What becomes of an attempt: it is noted, tried again later, given up, or the end of its subscription.

Tried again for 24 hours, with growing pauses. A receiver that fails three times in a row is asked by one delivery at a
time, seldom; one that asked for a pause gets it. It hears nothing more after a 410, and when deliveries are given up
and nothing has arrived for three days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from automation.engine.notices import delay_seconds
from automation.models import DeliveryState
from automation.store.event_queue import living
from automation.store.notices import now as database_now
from webhooks.models import OffReason, OutboundAttempt, OutboundDelivery, Subscription
from webhooks.services import subscription_ends
from webhooks.services.subscription_ends import SWITCHED_OFF
from webhooks.store.outbound import SHAKY

GONE = 410
PAUSES = (429, 503)  # answers whose Retry-After is meant for everything
FIRST_HOLD_SECONDS, LONGEST_HOLD_SECONDS = 10.0, 300.0  # of a receiver that fails again and again
LONGEST_PAUSE_SECONDS = 3_600.0  # of one that asks for it; the delivery itself waits as long as was asked
FAILING_FOR = timedelta(days=3)
LONGEST_ERROR = 500  # characters

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt. `status` is what the receiver said; None: nothing, and `error` says why."""

    began_at: datetime
    duration_ms: int
    status: int | None = None
    error: str = ""
    answer: str = ""
    retry_after_seconds: float | None = None

    @property
    def is_taken(self) -> bool:
        """True when the receiver said that it has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def reason(self) -> str:
        """Why it was not taken, as one sentence."""
        if self.error:
            return self.error[:LONGEST_ERROR]
        return f"The receiver answered {self.status}: {self.answer or 'an empty body'}"[:LONGEST_ERROR]


def note(delivery: OutboundDelivery, outcome: Outcome) -> None:
    """Store an attempt and what follows from it. Nothing when the subscription is gone."""
    with transaction.atomic(), connection.cursor() as cursor:
        # whoever deletes the workspace or switches the subscription off locks in this order, too
        if not living(cursor, {delivery.workspace_id}):
            return
        subscription = Subscription.objects.select_for_update().filter(id=delivery.subscription_id).first()
        rows = OutboundDelivery.objects.filter(id=delivery.id)
        if subscription is None or not rows.exists():
            return
        now = database_now(cursor)
        next_at = None
        if outcome.is_taken:
            rows.update(state=DeliveryState.SENT, sent_at=now, sending_until=None, last_error="")
            _recovered(subscription)
        else:
            next_at = _refused(delivery, subscription, outcome, now)
        OutboundAttempt.objects.create(
            delivery=delivery,
            began_at=outcome.began_at,
            duration_ms=outcome.duration_ms,
            status=outcome.status,
            error=outcome.error[:LONGEST_ERROR],
            answer=outcome.answer,
            next_at=next_at,
        )


def drop(delivery: OutboundDelivery) -> None:
    """Call off a delivery of a subscription that was switched off."""
    rows = OutboundDelivery.objects.filter(id=delivery.id, state=DeliveryState.PENDING)
    rows.update(state=DeliveryState.DROPPED, sending_until=None, last_error=SWITCHED_OFF)


def _refused(
    delivery: OutboundDelivery, subscription: Subscription, outcome: Outcome, now: datetime
) -> datetime | None:
    """Decide what follows a failed attempt; return when it is tried again, None when never."""
    is_over = delivery.is_test or outcome.status == GONE or now >= delivery.ends_at
    wait = delay_seconds(delivery.attempts, retry_after_seconds=outcome.retry_after_seconds)
    next_at = None if is_over else min(now + timedelta(seconds=wait), delivery.ends_at)
    # somebody else may have taken it over meanwhile: then theirs counts
    rows = OutboundDelivery.objects.filter(
        id=delivery.id, state=DeliveryState.PENDING, attempts=delivery.attempts, sending_until=delivery.sending_until
    )
    said = {"sending_until": None, "last_error": outcome.reason}
    state = DeliveryState.FAILED if is_over else DeliveryState.PENDING
    rows.update(state=state, next_at=next_at or now, **said)
    if not delivery.is_test:
        _hold(subscription, outcome, now)
        _end_if_due(subscription, outcome, now, is_given_up=is_over)
    return next_at


def _recovered(subscription: Subscription) -> None:
    """Whatever held the subscription back is over."""
    if not subscription.failures and subscription.held_until is None:
        return
    subscription.failures, subscription.failing_since, subscription.held_until = 0, None, None
    subscription.save(update_fields=["failures", "failing_since", "held_until"])


def _hold(subscription: Subscription, outcome: Outcome, now: datetime) -> None:
    """Count the failure; what fails again and again is left alone for a while."""
    subscription.failures += 1
    subscription.failing_since = subscription.failing_since or outcome.began_at
    seconds = 0.0
    if subscription.failures >= SHAKY:
        seconds = min(LONGEST_HOLD_SECONDS, FIRST_HOLD_SECONDS * 2.0 ** min(subscription.failures - SHAKY, 20))
    if outcome.status in PAUSES and outcome.retry_after_seconds:
        seconds = max(seconds, min(outcome.retry_after_seconds, LONGEST_PAUSE_SECONDS))
    if seconds:
        subscription.held_until = max(subscription.held_until or now, now + timedelta(seconds=seconds))
    subscription.save(update_fields=["failures", "failing_since", "held_until"])


def _end_if_due(subscription: Subscription, outcome: Outcome, now: datetime, *, is_given_up: bool) -> None:
    if not subscription.is_active:
        return
    if outcome.status == GONE:
        subscription_ends.end(subscription, OffReason.GONE, now=now, last_error=outcome.reason)
    elif is_given_up and subscription.failing_since and now - subscription.failing_since >= FAILING_FOR:
        subscription_ends.end(subscription, OffReason.FAILING, now=now, last_error=outcome.reason)
    if is_given_up:
        log.warning("outbound_given_up", subscription_id=str(subscription.id), reason=outcome.reason)
