"""Handshakes: what a sender asks before it delivers. They are answered and stored, and never start a run.

Most are not signed, so anybody can ask: of those only the head of the body is kept, and only some an hour are stored.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

from django.db import connection

from brainops.audit.actor import Actor
from brainops.audit.services import record as audit
from brainops.core import clock, logs
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import limiter
from webhooks.services import rows
from webhooks.services.outcomes import Answered, Greeting, Incoming, Outcome
from webhooks.services.quota import KEPT_BODY_BYTES
from webhooks.services.states import EndpointState
from webhooks.store import record

STORED_PER_HOUR = 30  # unsigned ones of one endpoint; the others are answered and not stored
FRESH_SECONDS = 1.0

Send = Callable[[http.Request], http.Answer]

CONFIRM_SECONDS = 10.0
CONFIRM_BYTES = 64 * 1024
CONFIRM_TRIES = 3
PAUSE_SECONDS = 2.0
OK = 200

log = logs.get_logger(__name__)


def answer(state: EndpointState, incoming: Incoming, greeting: Greeting) -> Outcome | None:
    """Store and answer a handshake; None when it was judged by a state that is no longer so."""
    is_stored = greeting.is_proven or _may_store(state)
    if not is_stored:
        is_fresh = clock.monotonic() - state.read_at <= FRESH_SECONDS
        return Answered(None, greeting.reply) if is_fresh else None
    event = rows.handshake_event(incoming, greeting, most=len(incoming.body) if greeting.is_proven else KEPT_BODY_BYTES)
    with connection.cursor() as cursor:
        if not record.record(cursor, state.stored, event):
            return None
    if greeting.is_proven and _is_confirmable(state, greeting.reply.confirm_url):
        begin(state, greeting.reply.confirm_url)
    return Answered(event.id, greeting.reply)


def begin(state: EndpointState, url: str) -> None:
    """Confirm in a thread of its own: the sender waits for its answer, and the call may take long."""
    ids = (state.stored.workspace_id, state.stored.endpoint_id)
    threading.Thread(target=_confirm_and_leave, args=(*ids, url), name="webhook-confirm", daemon=True).start()


def confirm(workspace_id: UUID, endpoint_id: UUID, url: str, *, send: Send = http.send) -> bool:
    """Call the address that confirms a subscription; the audit log says what came of it."""
    host = urlsplit(url).hostname
    said = ""
    for attempt in range(CONFIRM_TRIES):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        said = _call(url, send)
        if not said:
            break
    summary = f"Could not confirm the subscription at {host}: {said}" if said else f"Confirmed it at {host}."
    audit(
        actor=Actor.system("webhooks"),
        workspace_id=workspace_id,
        action="webhook.confirm",
        target_kind="webhook",
        target_id=endpoint_id,
        summary=summary,
    )
    return not said


def _confirm_and_leave(workspace_id: UUID, endpoint_id: UUID, url: str) -> None:
    try:
        confirm(workspace_id, endpoint_id, url)
    except Exception:
        log.exception("webhook_not_confirmed", endpoint_id=str(endpoint_id))
    finally:
        connection.close()


def _call(url: str, send: Send) -> str:
    """What went wrong, empty when nothing did."""
    request = http.Request("GET", url, total_seconds=CONFIRM_SECONDS, max_bytes=CONFIRM_BYTES)
    try:
        status = send(request).status
    except EgressError as error:
        return f"{error.message}"
    return "" if status == OK else f"it answered {status}."


def _may_store(state: EndpointState) -> bool:
    name = f"{state.stored.workspace_id}:{state.stored.endpoint_id}"
    return (
        limiter.take(Bucket("webhook-handshakes-stored", name, STORED_PER_HOUR / 3600, STORED_PER_HOUR)).refused is None
    )


def _is_confirmable(state: EndpointState, url: str) -> bool:
    """Checked again where the call is made: the scheme allows hosts, and this is one of them."""
    pattern = state.scheme.confirm_host
    host = urlsplit(url).hostname if url.startswith("https://") else None
    return bool(pattern and host and re.fullmatch(pattern, host))
