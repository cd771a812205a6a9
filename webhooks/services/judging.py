"""Judge a request by what is known of its endpoint. Pure: no database, no clock of its own.

Order matters. Only after the signature is anything about the endpoint told, and only then is the body parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from brainops.core import errors
from brainops.core.errors import AppError, InvalidInput, Problem
from webhooks.services.diagnosis import explained
from webhooks.services.outcomes import Genuine, Greeting, Incoming, Judgement, Noted, Unfit
from webhooks.services.readings import Reading
from webhooks.services.states import EndpointState
from webhooks.signatures.contract import NOTHING, Attempt, Reply, Scheme, Verdict, refused
from webhooks.signatures.url_option import address_of

LONGEST_ID = 255
LONGEST_EVENT_TYPE = 100
_FORBIDDEN = frozenset({"verify_token_wrong", "origin_not_allowed"})


def judge(
    state: EndpointState, incoming: Incoming, *, now: datetime, certificates: Mapping[str, bytes] = NOTHING
) -> Judgement:
    """What becomes of a request at this endpoint."""
    if incoming.size_bytes > state.max_body_bytes:
        return Unfit(_too_large(incoming, state))
    scheme, reading = state.scheme, Reading(incoming, state.scheme)
    attempt = attempt_of(state, incoming, now, reading, certificates)
    if scheme.greet is not None and (greeting := scheme.greet(attempt)) is not None:
        return Greeting(greeting) if isinstance(greeting, Reply) else Unfit(_not_genuine(greeting, state))
    if incoming.method != "POST":
        return Unfit(_wrong_method(scheme))
    verdict = _verified(state, attempt, now)
    if not verdict.ok:
        return Unfit(_not_genuine(verdict, state), verdict.delivery_id)
    try:
        _check_id(verdict.delivery_id)
        return _read(state, attempt, reading, verdict.delivery_id)
    except AppError as error:
        return Unfit(error, verdict.delivery_id, is_verified=scheme.is_signed)


def attempt_of(
    state: EndpointState,
    incoming: Incoming,
    now: datetime,
    reading: Reading | None = None,
    certificates: Mapping[str, bytes] = NOTHING,
) -> Attempt:
    """The request as the endpoint's scheme sees it."""
    return Attempt(
        state.secrets_at(now),
        incoming.headers,
        incoming.body,
        now.timestamp(),
        state.tolerance_seconds,
        incoming.method,
        address_of(state.options, state.url, incoming.query),
        incoming.query,
        state.options,
        (reading or Reading(incoming, state.scheme)).quietly,
        certificates,
    )


def _verified(state: EndpointState, attempt: Attempt, now: datetime) -> Verdict:
    scheme = state.scheme
    if scheme.takes_secret and not attempt.secrets:
        return refused("secret_missing", "This webhook has no secret yet. Enter the one that the sender shows.")
    verdict = scheme.verify(attempt)
    if verdict.code == "signature_wrong":
        return explained(scheme, attempt, verdict, state.ended_secret(now))
    return verdict


def _read(state: EndpointState, attempt: Attempt, reading: Reading, delivery_id: str | None) -> Judgement:
    scheme, body = state.scheme, None
    if scheme.confirm is not None:
        reply = scheme.confirm(attempt, body := reading.body())
        if reply is not None:
            return Greeting(reply, _event_type(scheme.event_type(attempt.headers, body)), is_proven=True)
    _check_state(state)
    body = reading.body()
    event_type = _event_type(scheme.event_type(attempt.headers, body))
    delivery_id = _named(scheme, body) or delivery_id
    if event_type in scheme.pings:
        return Noted(delivery_id, event_type, "ping", "The signature is right. A ping starts no run.")
    if state.event_types and event_type not in state.event_types:
        wanted = ", ".join(sorted(state.event_types))
        detail = f"This endpoint starts runs for {wanted} only; {event_type or 'an unnamed event'!r} is passed over."
        return Noted(delivery_id, event_type, "event_not_wanted", detail)
    return Genuine(delivery_id, event_type, body, inputs_of(state, body))


def _named(scheme: Scheme, body: Any) -> str | None:
    """The name that stands in a verified body. One that cannot be stored is passed over."""
    name = scheme.delivery_id(body) if scheme.delivery_id is not None else None
    return name if name and len(name) <= LONGEST_ID and name.isascii() and name.isprintable() else None


def inputs_of(state: EndpointState, body: Any) -> dict[str, Any]:
    """The inputs of the run: the body's fields when the workflow declares inputs, under the trigger's fixed ones.

    Raises InvalidInput with every problem.
    """
    given = body if state.takes_body_as_inputs and isinstance(body, dict) else {}
    inputs: dict[str, Any] = state.inputs.complete({**given, **state.fixed_inputs})
    problems = state.inputs.check(inputs)
    if problems:
        found = [Problem(problem.code, problem.message, problem.pointer) for problem in problems]
        raise InvalidInput.from_problems(found)
    return inputs


def _wrong_method(scheme: Scheme) -> AppError:
    allowed = ", ".join(sorted({"POST", *scheme.methods}))
    return errors.MethodNotAllowed("Deliveries are sent with POST.", headers={"Allow": allowed})


def _not_genuine(verdict: Verdict, state: EndpointState) -> AppError:
    if verdict.code == "handshake_malformed":
        return InvalidInput(verdict.message, code=verdict.code)
    if verdict.code in _FORBIDDEN:
        return errors.PermissionDenied(verdict.message, code=verdict.code)
    if verdict.code == "certificate_unavailable":  # nothing was decided: the sender shall come again
        return errors.Unavailable(verdict.message, code=verdict.code)
    # RFC 9110, 11.6.1: a 401 names the scheme that would work
    challenge = f'Webhook-Signature scheme="{state.scheme.key}"'
    return errors.NotAuthenticated(verdict.message, code=verdict.code, headers={"WWW-Authenticate": challenge})


def _too_large(incoming: Incoming, state: EndpointState) -> AppError:
    return errors.TooLarge(
        f"The body has {incoming.size_bytes:,} bytes; this endpoint takes {state.max_body_bytes:,} at most.",
        details={"limit_bytes": state.max_body_bytes},
    )


def _check_id(delivery_id: str | None) -> None:
    if delivery_id is None:
        return
    if len(delivery_id) > LONGEST_ID or not (delivery_id.isascii() and delivery_id.isprintable()):
        message = f"A delivery id has 1 to {LONGEST_ID} printable ASCII characters, got {delivery_id[:40]!r}."
        raise InvalidInput(message, code="delivery_id_malformed")


def _check_state(state: EndpointState) -> None:
    """Refuse while nothing may start. 409: the sender may try again later, and should not give up for good."""
    if not state.stored.trigger_is_active:
        raise errors.Conflict("This webhook is switched off.", code="webhook_inactive")
    if not state.stored.workflow_is_active or state.stored.version_id is None:
        raise errors.Conflict("The workflow of this webhook is switched off.", code="workflow_inactive")


def _event_type(text: str) -> str:
    if len(text) <= LONGEST_EVENT_TYPE and text.isprintable():
        return text
    return "".join(filter(str.isprintable, text[:LONGEST_EVENT_TYPE]))
