"""A subscription is switched off: nothing more goes there, and when nobody asked for it, people are told."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from automation.models import DeliveryState
from automation.services import event_listeners, notice_direct
from brainops.audit.actor import Actor
from brainops.audit.services import record
from webhooks.models import OffReason, OutboundDelivery, Subscription
from webhooks.services.outbound_intake import LISTENER

BY = Actor.system("outbound webhooks")
SWITCHED_OFF = "The subscription was switched off."

log = structlog.get_logger(__name__)


def end(subscription: Subscription, reason: OffReason, *, now: datetime, last_error: str) -> None:
    """Switch off a locked subscription because of its receiver; record it and tell its maker and the owners."""
    switch_off_locked(subscription, reason, now=now)
    subscription.save(update_fields=["is_active", "off_reason", "off_at", "held_until"])
    record(
        actor=BY,
        workspace_id=subscription.workspace_id,
        action="subscription.disable",
        target_kind="subscription",
        target_id=subscription.id,
        summary=f"Switched off the subscription to {place_of(subscription.url)}: {reason.label}. {last_error}",
    )
    _tell(subscription, reason, last_error)
    log.warning("subscription_ended", subscription_id=str(subscription.id), reason=reason.value)


def switch_off_locked(subscription: Subscription, reason: OffReason, *, now: datetime) -> None:
    """Let a locked subscription hear nothing more; what was on its way is called off. The caller saves it."""
    subscription.is_active, subscription.off_reason, subscription.off_at = False, reason, now
    subscription.held_until = None
    event_listeners.want_no_more(LISTENER, subscription.id)
    pending = OutboundDelivery.objects.filter(subscription=subscription, state=DeliveryState.PENDING, is_test=False)
    said = SWITCHED_OFF if reason is OffReason.PERSON else f"The subscription was switched off: {reason.label}."
    pending.update(state=DeliveryState.DROPPED, sending_until=None, last_error=said)


def place_of(url: str) -> str:
    """Where an address leads, without its path and query: they may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _tell(subscription: Subscription, reason: OffReason, last_error: str) -> None:
    maker = [f"user:{subscription.created_by.email}"] if subscription.created_by else []
    page = f"{settings.BRAINOPS_PUBLIC_URL}/admin/webhooks/subscription/{subscription.id}/"
    about = {
        "id": str(subscription.id),
        "name": subscription.description or place_of(subscription.url),
        "receiver": place_of(subscription.url),
        "reason": reason.label,
        "message": last_error,
        "url": page,
    }
    notice_direct.mail_to(
        subscription.workspace_id, [*maker, "role:owner"], event="subscription_disabled", about={"subscription": about}
    )
