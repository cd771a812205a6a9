"""Send what subscriptions are to hear: signed, through the outbound door, at least once under an id that stays.

A delivery is claimed first and sent outside of any transaction. Whoever dies over it leaves it to the next, a minute
later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db import connection, connections, transaction

from automation.engine.points import reach
from automation.models import DeliveryState
from automation.services.outboxes import Outbox
from brainops.core import clock
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.redact import SecretValues, redact_line
from brainops.core.standard_webhooks import signed_headers
from integrations.messages import Response
from integrations.refusals import retry_after_seconds
from webhooks.models import OutboundDelivery
from webhooks.services import outbound_outcomes
from webhooks.services.outbound_outcomes import Outcome
from webhooks.store import outbound as store

BESIDE = 16  # deliveries at once, in one process; each waits for its receiver without a connection
ATTEMPT_SECONDS = 15.0  # for the whole of one attempt
ANSWER_BYTES = 64 * 1024  # that are read of an answer
SHOWN_CHARACTERS = 1_000  # that are kept of it
OURS = {"Content-Type": "application/json", "User-Agent": "BrainOps-Webhooks"}

log = structlog.get_logger(__name__)


def outbox() -> Outbox:
    """The outbox of subscriptions, for the postman. Its connection is given back while a receiver takes its time."""
    return Outbox(claim, _send_from_postman, has_due, BESIDE)


def claim() -> UUID | None:
    """Claim the delivery that is next; None when none may be sent now."""
    with transaction.atomic(), connection.cursor() as cursor:
        return store.claim(cursor)


def has_due() -> bool:
    """True when a delivery waits to be sent."""
    with connection.cursor() as cursor:
        return store.has_due(cursor)


def send_next() -> bool:
    """Send the delivery that is next; False when none may be sent now."""
    claimed = claim()
    if claimed is None:
        return False
    send(claimed)
    return True


def send(delivery_id: UUID, *, let_go: Callable[[], None] = lambda: None) -> None:
    """Send a claimed delivery and store what became of it. `let_go` is called before the wait for the receiver."""
    rows = OutboundDelivery.objects.select_related("subscription").filter(id=delivery_id, state=DeliveryState.PENDING)
    delivery = rows.first()
    if delivery is None:  # deleted, or called off meanwhile
        return
    if not delivery.subscription.is_active and not delivery.is_test:
        outbound_outcomes.drop(delivery)
        return
    outbound_outcomes.note(delivery, _attempt(delivery, let_go))


def _send_from_postman(delivery_id: UUID) -> None:
    send(delivery_id, let_go=connections.close_all)


def _attempt(delivery: OutboundDelivery, let_go: Callable[[], None]) -> Outcome:
    began_at, started = clock.now(), time.monotonic()

    def outcome(**said: Any) -> Outcome:
        return Outcome(began_at, round((time.monotonic() - started) * 1000), **said)

    try:
        headers = delivery.subscription.header_values
        request = _request(delivery, headers)
    except Exception:  # a lost key, say: it is no fault of the receiver, and other deliveries go on
        log.exception("outbound_not_sent", delivery_id=str(delivery.id))
        return outcome(error="Something went wrong on our side; the log says what.")
    let_go()
    reach("before_outbound")
    try:
        answer = http.send(request)
    except EgressError as error:
        # a receiver that said 2xx has taken it, however the rest of its answer ended
        return outcome(status=error.status, error=f"{error.code}: {error.message}")
    finally:
        reach("after_outbound")
    response = Response(answer.status, clock.now(), answer.headers, answer.body, answer.url)
    return outcome(
        status=answer.status,
        answer=shown(answer.body, headers),
        retry_after_seconds=retry_after_seconds(response),
    )


def _request(delivery: OutboundDelivery, headers: Mapping[str, str]) -> http.Request:
    subscription = delivery.subscription
    body = orjson.dumps(delivery.body)
    now = clock.now()
    is_rotating = subscription.previous_valid_until is not None and subscription.previous_valid_until > now
    signed = signed_headers(
        subscription.secret,
        body,
        message_id=str(delivery.id),
        timestamp=int(now.timestamp()),
        also=[subscription.previous_secret] if is_rotating and subscription.previous_secret else (),
    )
    return http.Request(
        "POST",
        subscription.url,
        {**OURS, **headers, **signed},
        body,
        total_seconds=ATTEMPT_SECONDS,
        read_seconds=ATTEMPT_SECONDS,
        max_bytes=ANSWER_BYTES,
    )


def shown(body: bytes, headers: Mapping[str, str]) -> str:
    """The start of an answer as one line, without secrets; also without what we sent in our headers."""
    own = SecretValues()
    for value in headers.values():
        for part in (value, *value.split()):
            own.register(part)
    text = own.mask(redact_line(body.decode("utf-8", errors="replace")))
    line = "".join(character if character.isprintable() else " " for character in text[: SHOWN_CHARACTERS + 1])
    return line.strip() if len(line) <= SHOWN_CHARACTERS else line[:SHOWN_CHARACTERS].strip() + "…"
