"""Endpoints: what a webhook trigger's config becomes, and the rotation of secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from automation.models import Workflow
from automation.triggers.contract import Saving, TriggerRow
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, Problem
from webhooks.models import WebhookEndpoint
from webhooks.signatures import all_schemes
from webhooks.signatures.contract import Scheme

GRACE_SECONDS = 24 * 3600  # how long the previous secret stays good by default
LONGEST_GRACE_SECONDS = 7 * 24 * 3600

_MIRRORED = ("answer", "wait_seconds", "tolerance_seconds", "max_body_bytes", "event_types")


@dataclass(frozen=True, slots=True)
class Rotated:
    """An endpoint after a rotation. `secret` is shown this once; None when the caller sent it."""

    endpoint: WebhookEndpoint
    secret: str | None


def save_in_transaction(saving: Saving) -> tuple[WebhookEndpoint, str | None]:
    """Make or change the endpoint of a webhook trigger; also returns the secret when it was generated now.

    Raises InvalidInput when only the sender can make the scheme's key and none was sent.
    """
    trigger = saving.trigger
    rows = WebhookEndpoint.objects.select_for_update()
    endpoint = rows.filter(trigger_id=trigger.id).first() or WebhookEndpoint(
        workspace_id=trigger.workspace_id, trigger_id=trigger.id, revision=0
    )
    scheme = all_schemes()[trigger.config["scheme"]]
    shown = _settle_secret(endpoint, scheme, saving.secrets.get("secret"))
    for name in _MIRRORED:
        setattr(endpoint, name, trigger.config[name])
    endpoint.options = trigger.config.get("options") or {}
    if trigger.config.get("order_by"):
        _require_no_limit(trigger.workflow_id)
    _save(endpoint)
    return endpoint, shown


def _require_no_limit(workflow_id: UUID) -> None:
    """Refuse an order for a workflow whose runs count under a limit of its own: a run waits for one thing only."""
    version = Workflow.objects.select_related("current_version").get(id=workflow_id).current_version
    said = (version.definition.get("settings") or {}) if version else {}
    for name in ("concurrency", "debounce"):
        if name in said:
            message = f"The workflow has settings.{name}, so its runs cannot wait for an order as well. Remove one."
            raise InvalidInput.from_problems([Problem("order_conflict", message, "/config/order_by")])


def rotate(
    caller: Caller,
    webhook_id: UUID | str,
    *,
    secret: str | None = None,
    grace_seconds: int = GRACE_SECONDS,
    check: Callable[[WebhookEndpoint], None] = lambda _endpoint: None,
) -> Rotated:
    """Give an endpoint a new secret; the old one stays good for `grace_seconds`, so that no delivery is lost meanwhile.

    Raises NotFound, PermissionDenied, InvalidInput, and Conflict for a scheme without a secret.
    """
    with transaction.atomic():
        rows = WebhookEndpoint.objects.select_related("trigger__workflow").select_for_update(of=("self",))
        endpoint = get_scoped(rows, caller, webhook_id)
        caller.require(Permission.WEBHOOKS_UPDATE, created_by=endpoint.trigger.workflow.owner_id)
        check(endpoint)
        scheme = all_schemes()[endpoint.scheme]
        if not scheme.takes_secret:
            raise Conflict(f"Scheme {scheme.key!r} has no secret to rotate.", code="webhook_unsigned")
        new = _new_secret(scheme, secret, pointer="/secret")
        if grace_seconds and endpoint.secret:
            endpoint.previous_secret = endpoint.secret
            endpoint.previous_valid_until = clock.now() + timedelta(seconds=grace_seconds)
        else:
            endpoint.previous_secret = endpoint.previous_valid_until = None
        endpoint.secret, endpoint.rotated_at = new, clock.now()
        _save(endpoint)
        record(
            actor=caller,
            workspace_id=endpoint.workspace_id,
            action="webhook.rotate",
            target_kind="webhook",
            target_id=endpoint.id,
            summary=f"Rotated the secret; the previous one stays good for {grace_seconds} seconds.",
        )
    return Rotated(endpoint, None if secret else new)


def find(caller: Caller) -> QuerySet[WebhookEndpoint]:
    """The endpoints of the caller's workspace."""
    return scoped(WebhookEndpoint.objects.select_related("trigger"), caller)


def get(caller: Caller, webhook_id: UUID | str) -> WebhookEndpoint:
    """One endpoint of the caller's workspace, with its trigger and workflow. Raises NotFound."""
    return get_scoped(WebhookEndpoint.objects.select_related("trigger__workflow"), caller, webhook_id)


def described(triggers: Sequence[TriggerRow]) -> dict[UUID, dict[str, Any]]:
    """What the answers about triggers show of their endpoints: one query."""
    endpoints = WebhookEndpoint.objects.filter(trigger_id__in=[trigger.id for trigger in triggers])
    return {endpoint.trigger_id: {"webhook": public_facts(endpoint)} for endpoint in endpoints}


def public_facts(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Where to send, and how it is verified; never a secret."""
    until = endpoint.previous_valid_until
    return {
        "id": str(endpoint.id),
        "url": endpoint.url,
        "test_url": endpoint.test_url,
        "scheme": endpoint.scheme,
        "is_signed": all_schemes()[endpoint.scheme].is_signed,
        "needs_secret": all_schemes()[endpoint.scheme].takes_secret and not endpoint.has_secret,
        "previous_secret_valid_until": until.isoformat() if until and until > clock.now() else None,
    }


def _settle_secret(endpoint: WebhookEndpoint, scheme: Scheme, given: str | None) -> str | None:
    """Set the secret; return it when it was generated. A given one counts at once, without grace."""
    is_other_scheme = endpoint.scheme != scheme.key
    endpoint.scheme = scheme.key
    if given is None and not is_other_scheme:
        return None
    endpoint.previous_secret = endpoint.previous_valid_until = None
    endpoint.secret = _first_secret(scheme, given) if scheme.takes_secret else None
    return endpoint.secret if given is None else None


def _first_secret(scheme: Scheme, given: str | None) -> str | None:
    """The secret to begin with; None when the sender shows it only after it was told the address."""
    return None if given is None and scheme.secret_may_follow else _new_secret(scheme, given, pointer="/config/secret")


def _new_secret(scheme: Scheme, given: str | None, *, pointer: str) -> str:
    if given is not None:
        refusal = scheme.refusal_of(given)
        if refusal:
            raise InvalidInput.from_problems([Problem("invalid_secret", refusal, pointer)])
        return given
    if scheme.new_secret is None:
        message = f"Scheme {scheme.key!r} needs the sender's key: send it as `secret`."
        raise InvalidInput.from_problems([Problem("required", message, pointer)])
    return scheme.new_secret()


def _save(endpoint: WebhookEndpoint) -> None:
    """Write the row under a new revision: every process reads it anew at the next delivery."""
    endpoint.revision += 1
    endpoint.updated_at = clock.now()
    endpoint.save()
