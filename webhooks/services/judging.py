"""Judge a request by what is known of its endpoint. Pure: no database, no clock of its own.

Order matters. Only after the signature is anything about the endpoint told, and only then is the body parsed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from brainops.core import errors
from brainops.core.errors import AppError, InvalidInput, Problem
from webhooks.services import bodies
from webhooks.services.outcomes import Genuine, Incoming, Judgement, Noted, Unfit
from webhooks.services.states import EndpointState
from webhooks.signatures.contract import Attempt, Verdict

LONGEST_ID = 255
LONGEST_EVENT_TYPE = 100


def judge(state: EndpointState, incoming: Incoming, *, now: datetime) -> Judgement:
    """What becomes of a request at this endpoint."""
    if incoming.size_bytes > state.max_body_bytes:
        return Unfit(_too_large(incoming, state))
    verdict = state.scheme.verify(
        Attempt(state.secrets_at(now), incoming.headers, incoming.body, now.timestamp(), state.tolerance_seconds)
    )
    if not verdict.ok:
        return Unfit(_not_genuine(verdict, state), verdict.delivery_id)
    try:
        _check_id(verdict.delivery_id)
        _check_state(state)
        return _read(state, incoming, verdict.delivery_id)
    except AppError as error:
        return Unfit(error, verdict.delivery_id)


def _read(state: EndpointState, incoming: Incoming, delivery_id: str | None) -> Judgement:
    encoding = incoming.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise errors.UnsupportedMediaType("Compressed bodies are not read. Send the body without Content-Encoding.")
    scheme = state.scheme
    body = bodies.parse(incoming.headers.get("content-type", ""), incoming.body, json_field=scheme.form_field)
    event_type = _event_type(scheme.event_type(incoming.headers, body))
    if event_type in scheme.pings:
        return Noted(delivery_id, event_type, "ping", "The signature is right. A ping starts no run.")
    if state.event_types and event_type not in state.event_types:
        wanted = ", ".join(sorted(state.event_types))
        detail = f"This endpoint starts runs for {wanted} only; {event_type or 'an unnamed event'!r} is passed over."
        return Noted(delivery_id, event_type, "event_not_wanted", detail)
    return Genuine(delivery_id, event_type, body, inputs_of(state, body))


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


def _not_genuine(verdict: Verdict, state: EndpointState) -> AppError:
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
