"""Subscriptions: make, change, delete and look; what they are sent is decided elsewhere (`outbound_intake`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet

from automation.services import event_listeners
from automation.store.notices import now as database_now
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict
from brainops.core.redact import MASK
from brainops.core.standard_webhooks import new_secret
from webhooks import event_patterns
from webhooks.models import OffReason, Subscription
from webhooks.services import subscription_checks
from webhooks.services.outbound_intake import LISTENER
from webhooks.services.subscription_ends import place_of, switch_off_locked

MOST_SUBSCRIPTIONS = 100  # of one workspace
GRACE_SECONDS = 24 * 3600  # how long the previous secret signs as well by default
LONGEST_GRACE_SECONDS = 7 * 24 * 3600
DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "workflow_ids": [],
    "tags": [],
    "is_active": True,
    "headers": {},
    "max_parallel": 4,
}
_PLAIN = ("description", "url", "types", "workflow_ids", "tags", "is_active", "max_parallel")
MEMBERS = (*_PLAIN, "headers")

Json = Any


@dataclass(frozen=True, slots=True)
class SavedSubscription:
    """A subscription, and its secret when that was made now: it is shown this once."""

    subscription: Subscription
    secret: str | None = None


def find(caller: Caller) -> QuerySet[Subscription]:
    """The subscriptions of the caller's workspace; nothing secret is read."""
    caller.require(Permission.SUBSCRIPTIONS_READ)
    return scoped(without_secrets(), caller)


def get(caller: Caller, subscription_id: UUID | str) -> Subscription:
    """One subscription of the caller's workspace. Raises NotFound."""
    caller.require(Permission.SUBSCRIPTIONS_READ)
    return get_scoped(without_secrets(), caller, subscription_id)


def without_secrets() -> QuerySet[Subscription]:
    """Subscriptions as they are looked at."""
    return Subscription.objects.defer("secret", "previous_secret", "headers")


def create(caller: Caller, **said: Json) -> SavedSubscription:
    """Make a subscription. Raises InvalidInput with every problem, PermissionDenied, Conflict."""
    caller.require(Permission.SUBSCRIPTIONS_WRITE)
    with transaction.atomic():
        if Subscription.objects.filter(workspace_id=caller.workspace()).count() >= MOST_SUBSCRIPTIONS:
            message = f"This workspace has {MOST_SUBSCRIPTIONS} subscriptions, the most there may be. Delete one first."
            raise Conflict(message, code="too_many_subscriptions")
        secret = new_secret()
        made = Subscription(workspace_id=caller.workspace(), created_by_id=caller.user_id, secret=secret)
        saved = _save(caller, made, {**DEFAULTS, **said}, before=None)
    return SavedSubscription(saved, secret)


def replace(caller: Caller, subscription_id: UUID | str, **said: Json) -> SavedSubscription:
    """Replace all of a subscription; what is left out gets its default."""
    with transaction.atomic():
        subscription = locked(caller, subscription_id)
        return SavedSubscription(_save(caller, subscription, {**DEFAULTS, **said}, before=facts(subscription)))


def change(caller: Caller, subscription_id: UUID | str, patch: Mapping[str, Json]) -> SavedSubscription:
    """Change what is named."""
    with transaction.atomic():
        subscription = locked(caller, subscription_id)
        before = facts(subscription)
        return SavedSubscription(_save(caller, subscription, {**before, **patch}, before=before))


def delete(caller: Caller, subscription_id: UUID | str) -> None:
    """Delete a subscription with its deliveries; what is under way may still arrive."""
    with transaction.atomic():
        subscription = locked(caller, subscription_id)
        audit(caller, subscription, "delete", f"Deleted the subscription to {place_of(subscription.url)}.")
        event_listeners.want_no_more(LISTENER, subscription.id)
        subscription.delete()


def rotate(caller: Caller, subscription_id: UUID | str, *, grace_seconds: int = GRACE_SECONDS) -> SavedSubscription:
    """Sign with a new secret; for `grace_seconds` with the old one, too, so that no receiver refuses anything."""
    with transaction.atomic():
        subscription = locked(caller, subscription_id)
        old, secret = subscription.secret, new_secret()
        subscription.secret = secret
        subscription.previous_secret = old if grace_seconds else None
        ends_at = clock.now() + timedelta(seconds=grace_seconds)
        subscription.previous_valid_until = ends_at if grace_seconds else None
        subscription.rotated_at = subscription.updated_at = clock.now()
        subscription.save()
        summary = f"Rotated the secret of the subscription to {place_of(subscription.url)}; "
        audit(caller, subscription, "rotate", f"{summary}the previous one signs for {grace_seconds} seconds more.")
    return SavedSubscription(get(caller, subscription.id), secret)


def facts(subscription: Subscription) -> dict[str, Json]:
    """What a subscription says, in the words of the API; the values of headers are masked."""
    said = {name: getattr(subscription, name) for name in _PLAIN}
    return {**said, "headers": dict.fromkeys(subscription.header_names, MASK)}


def locked(caller: Caller, subscription_id: UUID | str) -> Subscription:
    """One subscription that nobody else changes before the transaction ends. Raises NotFound, PermissionDenied."""
    caller.require(Permission.SUBSCRIPTIONS_WRITE)
    return get_scoped(Subscription.objects.select_for_update(), caller, subscription_id)


def audit(
    caller: Caller, subscription: Subscription, verb: str, summary: str, changes: Mapping[str, Json] | None = None
) -> None:
    """Record what was done to a subscription."""
    record(
        actor=caller,
        workspace_id=subscription.workspace_id,
        action=f"subscription.{verb}",
        target_kind="subscription",
        target_id=subscription.id,
        summary=summary,
        changes=changes,
    )


def _save(
    caller: Caller, subscription: Subscription, said: Mapping[str, Json], *, before: Mapping[str, Json] | None
) -> Subscription:
    subscription_checks.check(subscription, said)
    stored = subscription.header_values
    was_active, old_url = before is not None and subscription.is_active, subscription.url
    for name in _PLAIN:
        setattr(subscription, name, said[name])
    subscription.types = list(dict.fromkeys(said["types"]))
    _set_headers(subscription, said["headers"], stored)
    _switch(subscription, was_active=was_active)
    if subscription.is_active and (not was_active or old_url != subscription.url):
        subscription.failures, subscription.failing_since, subscription.held_until = 0, None, None
    subscription.updated_at = clock.now()
    subscription.save(force_insert=before is None)
    if subscription.is_active:
        wanted = event_patterns.wishes(subscription.types)
        event_listeners.want(LISTENER, subscription.id, workspace_id=subscription.workspace_id, types=wanted)
    saved = without_secrets().get(id=subscription.id)
    _audit_saved(caller, saved, said, stored, before)
    return saved


def _switch(subscription: Subscription, *, was_active: bool) -> None:
    """Note why it is off; what was on its way is called off. On again, it begins anew."""
    if subscription.is_active:
        subscription.off_reason, subscription.off_at = "", None
    elif was_active or not subscription.off_reason:
        with connection.cursor() as cursor:
            switch_off_locked(subscription, OffReason.PERSON, now=database_now(cursor))


def _set_headers(subscription: Subscription, said: Mapping[str, str], stored: Mapping[str, str]) -> None:
    values = {name: stored[name] if value == MASK else value for name, value in said.items()}
    if values == dict(stored):
        return
    subscription.headers = orjson.dumps(values).decode() if values else None
    subscription.header_names = list(values)


def _audit_saved(
    caller: Caller,
    saved: Subscription,
    said: Mapping[str, Json],
    stored: Mapping[str, str],
    before: Mapping[str, Json] | None,
) -> None:
    place = place_of(saved.url)
    if before is None:
        audit(caller, saved, "create", f"Made a subscription to {place}.")
        return
    changes = {name: [before[name], value] for name, value in facts(saved).items() if before[name] != value}
    anew = [name for name, value in said["headers"].items() if value not in (MASK, stored.get(name))]
    if anew and "headers" not in changes:
        changes["headers"] = [f"other values of {', '.join(anew)}", "not shown"]
    summary = f"Changed {', '.join(changes) or 'nothing'} of the subscription to {place}."
    audit(caller, saved, "update", summary, changes or None)
