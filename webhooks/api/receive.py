"""POST /webhooks/{webhook_id}/receive: the public door for deliveries.

A plain Django view: no session, no user, no parser, since the raw bytes are what was signed. Public because the
signature of each delivery is its own proof.
"""

from __future__ import annotations

from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from automation.engine.status import RunStatus
from automation.steps.respond import GUARD
from brainops.core.errors import AppError, MethodNotAllowed, NotFound
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import limiter
from brainops.core.ratelimit.rates import bucket, require
from brainops.core.web.clients import client_ip, network_of
from brainops.core.web.problem_json import problem_response
from webhooks.api.description import ReceiveDescription
from webhooks.api.raw import read_raw
from webhooks.services import answers
from webhooks.services.answers import Spoken
from webhooks.services.outcomes import Accepted, Acknowledged, Answered, Incoming, Outcome, Refused, Repeated
from webhooks.services.receive import receive
from webhooks.services.states import known

DUPLICATE = "Brainops-Duplicate"
HANDSHAKE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RunFailed(AppError):
    """The run that should have answered ended without success."""

    status = 500
    code = "run_failed"
    title = "The run failed"


@csrf_exempt
def receive_view(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Answer one delivery."""
    if request.method != "POST":
        require_handshake(request, webhook_id)
    request.may_wait = True  # type: ignore[attr-defined]  # a `respond` workflow is no slow request
    incoming = incoming_of(request)
    require_known(webhook_id, incoming.remote_addr or "")
    try:
        return respond(receive(webhook_id, incoming))
    except NotFound:
        require(_guesses(incoming.remote_addr or ""))
        raise


def require_handshake(request: HttpRequest, webhook_id: UUID) -> None:
    """Refuse every method but POST, except for endpoints whose senders shake hands with it."""
    refusal = MethodNotAllowed("Deliveries are sent with POST.", headers={"Allow": "POST"})
    if request.method not in HANDSHAKE_METHODS:
        raise refusal
    ip = client_ip(request)
    require_known(webhook_id, ip)
    try:
        methods = known.get(webhook_id).scheme.methods
    except NotFound:
        require(_guesses(ip))
        raise refusal from None
    if request.method not in methods:
        raise refusal


def require_known(webhook_id: UUID, ip: str) -> None:
    """Refuse a network that has guessed too many ids, without a query. Endpoints that are known here are served."""
    if webhook_id not in known and limiter.is_refused(guesses := _guesses(ip)):
        require(guesses)


def _guesses(ip: str) -> Bucket:
    return bucket("address_unknown_webhooks", network_of(ip))


def incoming_of(request: HttpRequest) -> Incoming:
    """The request as it came."""
    body, size_bytes = read_raw(request, most=settings.BRAINOPS_LIMITS["body_bytes"])
    meta = request.META
    headers = {name[5:].replace("_", "-").lower(): value for name, value in meta.items() if name[:5] == "HTTP_"}
    if meta.get("CONTENT_TYPE"):
        headers["content-type"] = meta["CONTENT_TYPE"]
    query, ip = meta.get("QUERY_STRING", ""), client_ip(request) or None
    return Incoming(headers, body, size_bytes, query, ip, method=request.method or "POST")


def respond(outcome: Outcome) -> HttpResponse:
    """The HTTP answer for what became of a delivery."""
    match outcome:
        case Accepted():
            return _accepted(outcome)
        case Repeated():
            return _repeated(outcome)
        case Acknowledged():
            body = {"run": None, "event": str(outcome.event_id), "reason": outcome.reason, "detail": outcome.detail}
            return _json(body, 200)
        case Answered():
            reply = outcome.reply
            headers = {**reply.headers, **GUARD, "Content-Type": reply.content_type}
            return HttpResponse(reply.body, headers=headers)
        case Refused():
            return problem_response(outcome.error)


def _accepted(outcome: Accepted) -> HttpResponse:
    if outcome.wait_seconds:
        answer = answers.await_answer(outcome.run_id, seconds=outcome.wait_seconds)
        if answer is not None:
            return _spoken(answer, outcome.run_uid, outcome.event_id)
    return _json(_names(outcome.run_uid, outcome.event_id), 202, {"Location": run_path(outcome.run_uid)})


def _repeated(outcome: Repeated) -> HttpResponse:
    """The first copy's answer as far as it is known, else 200 with the run's address."""
    answer = answers.answer_of(outcome.run_uid) if outcome.wants_response and outcome.run_uid else None
    if answer is not None and outcome.run_uid:
        response = _spoken(answer, outcome.run_uid, outcome.event_id)
    else:
        body = _names(outcome.run_uid, outcome.event_id)
        response = _json({**body, "reason": outcome.reason} if outcome.reason else body, 200)
    if outcome.run_uid:
        response.headers["Location"] = run_path(outcome.run_uid)
    response.headers[DUPLICATE] = "true"
    return response


def _spoken(answer: answers.Answer, run_uid: UUID, event_id: UUID | None) -> HttpResponse:
    """The answer of a `respond` step, or what to say when the run ended without one."""
    location = {"Location": run_path(run_uid)}
    if isinstance(answer, Spoken):
        return HttpResponse(answer.body, status=answer.status, headers={**answer.headers, "Brainops-Run": str(run_uid)})
    status = answer.status if answer else RunStatus.FAILED
    if status == RunStatus.SUCCEEDED:
        return _json({**_names(run_uid, event_id), "status": status.word}, 200, location)
    message = f"Run {run_uid} ended as {status.word} before it answered. Its page says why."
    return problem_response(
        RunFailed(message, details={"run": str(run_uid), "run_status": status.word}, headers=location)
    )


def _names(run_uid: UUID | None, event_id: UUID | None) -> dict[str, str | None]:
    return {"run": str(run_uid) if run_uid else None, "event": str(event_id) if event_id else None}


def run_path(run_uid: UUID) -> str:
    """Where the run can be read."""
    return f"{settings.BRAINOPS_API_PREFIX}/runs/{run_uid}"


def _json(body: object, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json", headers=headers)


receive_view.reads_chunks = True  # type: ignore[attr-defined]  # see core.web.context
receive_view.cls = ReceiveDescription  # type: ignore[attr-defined]  # what drf-spectacular reads
receive_view.initkwargs = {}  # type: ignore[attr-defined]  # as above
