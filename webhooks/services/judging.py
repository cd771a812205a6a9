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
from webhooks.services.keeping import keep_query, readable
from webhooks.services.outcomes import Genuine, Greeting, Held, Incoming, Judgement, Noted, Unfit
from webhooks.services.parts import FilePart, has_files, placed
from webhooks.services.previews import only_looks
from webhooks.services.readings import Reading
from webhooks.services.states import EndpointState, unknown
from webhooks.services.texts import typed
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
    path = state.front.path_of(incoming.path)
    if path is None and not incoming.is_test:
        return _elsewhere(incoming)
    if state.front.refuses_ip(incoming.remote_addr or "") and not incoming.is_test:
        return Unfit(_wrong_network(incoming))
    scheme, reading = state.scheme, Reading(incoming, state.scheme, most=state.max_body_bytes)
    attempt = attempt_of(state, incoming, now, reading, certificates)
    if scheme.greet is not None and (greeting := scheme.greet(attempt)) is not None:
        return Greeting(greeting) if isinstance(greeting, Reply) else Unfit(_not_genuine(greeting, state))
    if incoming.method not in state.front.methods and not incoming.is_test:
        return Unfit(_wrong_method(state))
    if (origin := incoming.headers.get("origin")) and state.front.origins and not state.front.allows_origin(origin):
        return Unfit(_wrong_origin(origin))
    verdict = _verified(state, attempt, now)
    if not verdict.ok:
        return Unfit(_not_genuine(verdict, state), verdict.delivery_id)
    try:
        _check_id(verdict.delivery_id)
        return _read(state, attempt, reading, verdict.delivery_id, path or NOTHING)
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
        (reading or Reading(incoming, state.scheme, most=state.max_body_bytes)).quietly,
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


def _read(
    state: EndpointState, attempt: Attempt, reading: Reading, delivery_id: str | None, path: Mapping[str, str]
) -> Judgement:
    scheme, body = state.scheme, None
    if scheme.confirm is not None:
        reply = scheme.confirm(attempt, body := reading.body())
        if reply is not None:
            return Greeting(reply, _event_type(scheme.event_type(attempt.headers, body)), is_proven=True)
    must_wait = _must_wait(state)
    body = reading.body()
    event_type = _event_type(scheme.event_type(attempt.headers, body))
    delivery_id = _named(scheme, body) or delivery_id
    if event_type in scheme.pings:
        return Noted(delivery_id, event_type, "ping", "The signature is right. A ping starts no run.")
    if state.event_types and event_type not in state.event_types:
        wanted = ", ".join(sorted(state.event_types))
        detail = f"This endpoint starts runs for {wanted} only; {event_type or 'an unnamed event'!r} is passed over."
        return Noted(delivery_id, event_type, "event_not_wanted", detail)
    if only_looks(attempt.method, attempt.headers):
        detail = "A link preview or a crawler looked where the link leads. That starts no run."
        return Noted(delivery_id, event_type, "link_preview", detail)
    query = keep_query(attempt.query) if body is None else NOTHING
    inputs, refusal = asked_inputs(state, given_by(state, body, path, query))
    genuine = Genuine(delivery_id, event_type, body, inputs, path, reading.text(), refusal)
    return Held(genuine) if must_wait else genuine


def _named(scheme: Scheme, body: Any) -> str | None:
    """The name that stands in a verified body. One that cannot be stored is passed over."""
    name = scheme.delivery_id(body) if scheme.delivery_id is not None else None
    return name if name and len(name) <= LONGEST_ID and name.isascii() and name.isprintable() else None


def given_by(state: EndpointState, body: Any, path: Mapping[str, str], query: Mapping[str, Any]) -> Any:
    """What a delivery gives as inputs: the body's fields, without a body those of the query; and the path's.

    The body itself where nothing is added to it. Texts of query and path become what the workflow declares.
    """
    if not state.takes_body_as_inputs or (not path and (body is not None or not query)):
        return body
    fields = typed(query, state.input_types) if body is None else body if isinstance(body, dict) else {}
    return {**fields, **typed(path, state.input_types)}


def inputs_of(state: EndpointState, body: Any) -> dict[str, Any]:
    """The inputs of the run: the body's fields when the workflow declares inputs, under the trigger's fixed ones.

    A file among them counts as what is known of it. Raises InvalidInput with every problem.
    """
    inputs = _completed(state, body)
    problems = state.inputs.check(placed(inputs, FilePart.outline) if has_files(inputs) else inputs)
    if problems:
        found = [Problem(problem.code, problem.message, problem.pointer) for problem in problems]
        raise InvalidInput.from_problems(found)
    return inputs


def asked_inputs(state: EndpointState, body: Any) -> tuple[dict[str, Any], InvalidInput | None]:
    """The inputs, and what is wrong with them where the trigger's condition is to be asked first.

    Raises InvalidInput when there is none: whatever the condition passes over need not fit.
    """
    try:
        return inputs_of(state, body), None
    except InvalidInput as refusal:
        if not state.condition:
            raise
        return _completed(state, body), refusal


def _completed(state: EndpointState, body: Any) -> dict[str, Any]:
    given = body if state.takes_body_as_inputs and isinstance(body, dict) else {}
    inputs: dict[str, Any] = state.inputs.complete({**given, **state.fixed_inputs})
    return inputs


def _elsewhere(incoming: Incoming) -> Judgement:
    """The answer of every address that is none; only the log says what was wrong with it."""
    detail = f"The path {readable(incoming.path)!r} behind the address is not the one that the webhook declares."
    return Unfit(unknown(), reason="path_unmatched", detail=detail)


def _wrong_network(incoming: Incoming) -> AppError:
    message = f"The address {incoming.remote_addr or 'of the sender'} may not send to this webhook."
    return errors.PermissionDenied(message, code="address_not_allowed")


def _wrong_origin(origin: str) -> AppError:
    message = f"Pages of {origin[:100]!r} may not send to this webhook."
    return errors.PermissionDenied(message, code="origin_not_allowed")


def _wrong_method(state: EndpointState) -> AppError:
    allowed = ", ".join(sorted({*state.front.methods, *state.scheme.methods}))
    wanted = ", ".join(sorted(state.front.methods))
    return errors.MethodNotAllowed(f"Deliveries are sent with {wanted}.", headers={"Allow": allowed})


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


def _must_wait(state: EndpointState) -> bool:
    """True when the delivery is to wait: behind others, or while it is switched off and the webhook buffers.

    Raises Conflict while nothing may start. 409: the sender may try again later, and should not give up for good.
    """
    if state.can_start and state.is_active and not state.is_buffering:
        return False
    if state.can_start and (state.front.buffers or (state.is_buffering and state.is_active)):
        return True
    if not state.stored.trigger_is_active:
        raise errors.Conflict("This webhook is switched off.", code="webhook_inactive")
    raise errors.Conflict("The workflow of this webhook is switched off.", code="workflow_inactive")


def _event_type(text: str) -> str:
    if len(text) <= LONGEST_EVENT_TYPE and text.isprintable():
        return text
    return "".join(filter(str.isprintable, text[:LONGEST_EVENT_TYPE]))
