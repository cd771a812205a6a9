"""Samples: a delivery of our own, signed as a sender would, through the same intake as everybody's."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

import orjson

from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict
from brainops.core.web.clients import current_ip
from webhooks.models import WebhookEndpoint
from webhooks.services import endpoints
from webhooks.services.outcomes import Incoming, Outcome
from webhooks.services.receive import receive
from webhooks.signatures import all_schemes
from webhooks.signatures.contract import Draft
from webhooks.signatures.url_option import address_of

DEFAULT_EVENT = "test"


def send(caller: Caller, webhook_id: UUID | str, *, event: str | None = None, body: Any = None) -> Outcome:
    """Send a signed sample, marked as a test; return what a sender would have got.

    Raises NotFound, PermissionDenied, and Conflict when only the sender can sign.
    """
    endpoint = endpoints.get(caller, webhook_id)
    caller.require(Permission.WEBHOOKS_TEST, created_by=endpoint.trigger.workflow.owner_id)
    incoming = sample(endpoint, event=event or _event_for(endpoint), body=body)
    record(
        actor=caller,
        workspace_id=endpoint.workspace_id,
        action="webhook.test",
        target_kind="webhook",
        target_id=endpoint.id,
        summary="Sent a sample delivery to the webhook.",
    )
    return receive(endpoint.id, incoming)


def sample(endpoint: WebhookEndpoint, *, event: str, body: Any) -> Incoming:
    """A delivery as a sender of this endpoint's scheme would make it."""
    scheme = all_schemes()[endpoint.scheme]
    if scheme.sign is None:
        raise Conflict(
            f"Only the sender can make a delivery of the scheme {scheme.key!r}, so no sample can be signed here. "
            "Ask the sender for a test delivery.",
            code="sample_not_signable",
        )
    content = {"type": event, "test": True, "sent_at": clock.now().isoformat()} if body is None else body
    raw = orjson.dumps(content)
    delivery_id = f"test_{uuid.uuid4().hex}"
    if scheme.takes_secret and not endpoint.has_secret:
        raise Conflict("This webhook has no secret yet, so no sample can be signed.", code="sample_not_signable")
    url = address_of(endpoint.options, endpoint.url, "")
    now = clock.now().timestamp()
    headers = scheme.sign(Draft(endpoint.secret or "", raw, delivery_id, event, now, url, endpoint.options))
    sent = {**headers, "content-type": "application/json", "user-agent": "BrainOps-Webhook-Test"}
    return Incoming(sent, raw, len(raw), remote_addr=current_ip.get() or None, is_test=True)


def _event_for(endpoint: WebhookEndpoint) -> str:
    """An event that the endpoint listens to."""
    return endpoint.event_types[0] if endpoint.event_types else DEFAULT_EVENT
