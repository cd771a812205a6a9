"""/webhooks/{webhook_id}/receive, what stands behind it, and the test address: the public doors for deliveries.

Plain Django views: no session, no user, no parser, since the raw bytes are what was signed. Public because the
signature of each delivery is its own proof.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from brainops.core.errors import NotFound
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import limiter
from brainops.core.ratelimit.rates import bucket, require
from brainops.core.web.clients import client_ip, network_of
from webhooks.api import origins
from webhooks.api.answers import respond, status_answer, tried_answer
from webhooks.api.description import NotDescribed, ReceiveDescription, StatusDescription, TestReceiveDescription
from webhooks.api.raw import read_raw
from webhooks.services import status_links, tried_deliveries, unmatched
from webhooks.services.outcomes import Incoming
from webhooks.services.receive import receive
from webhooks.services.states import known
from webhooks.services.tried_deliveries import NotListening


@csrf_exempt
def receive_view(request: HttpRequest, webhook_id: UUID, path: str = "") -> HttpResponseBase:
    """Answer one delivery."""
    request.may_wait = True  # type: ignore[attr-defined]  # a `respond` workflow is no slow request
    incoming = incoming_of(request, path)
    require_known(webhook_id, incoming.remote_addr or "")
    try:
        if (answer := origins.preflight(webhook_id, incoming)) is not None:
            return answer
        return origins.allowed(respond(receive(webhook_id, incoming)), webhook_id, incoming)
    except NotFound:
        _note(request, unmatched.UNKNOWN, incoming)
        raise


@csrf_exempt
def receive_behind_view(request: HttpRequest, webhook_id: UUID, path: str) -> HttpResponseBase:
    """Answer one delivery whose path goes on behind the address."""
    return receive_view(request, webhook_id, path)


@csrf_exempt
def tried_view(request: HttpRequest, test_id: UUID, path: str = "") -> HttpResponseBase:
    """Answer a delivery to a test address; while nobody listens, as an address that is none."""
    incoming = incoming_of(request, path)
    require_unknown(incoming.remote_addr or "")
    try:
        return tried_answer(tried_deliveries.take(test_id, incoming))
    except NotListening as error:
        unmatched.note(unmatched.NOT_LISTENING, request.path, incoming)
        raise NotFound(error.message) from None
    except NotFound:
        _note(request, unmatched.UNKNOWN_TEST, incoming)
        raise


@csrf_exempt
def tried_behind_view(request: HttpRequest, test_id: UUID, path: str) -> HttpResponseBase:
    """Answer a delivery to a test address whose path goes on behind it."""
    return tried_view(request, test_id, path)


@csrf_exempt
def status_view(request: HttpRequest, token: str) -> HttpResponseBase:
    """Tell the caller of a slow run what has become of it."""
    ip = client_ip(request)
    require_unknown(ip)
    try:
        return status_answer(status_links.read(token))
    except NotFound:
        require(_guesses(ip))
        raise


def require_known(webhook_id: UUID, ip: str) -> None:
    """Refuse a network that has guessed too many ids, without a query. Endpoints that are known here are served."""
    if webhook_id not in known:
        require_unknown(ip)


def require_unknown(ip: str) -> None:
    """Refuse a network that has guessed too many addresses."""
    if limiter.is_refused(guesses := _guesses(ip)):
        require(guesses)


def _note(request: HttpRequest, reason: str, incoming: Incoming) -> None:
    require(_guesses(incoming.remote_addr or ""))
    unmatched.note(reason, request.path, incoming)


def _guesses(ip: str) -> Bucket:
    return bucket("address_unknown_webhooks", network_of(ip))


def incoming_of(request: HttpRequest, path: str = "") -> Incoming:
    """The request as it came."""
    body, size_bytes = read_raw(request, most=settings.BRAINOPS_LIMITS["body_bytes"])
    meta = request.META
    headers = {name[5:].replace("_", "-").lower(): value for name, value in meta.items() if name[:5] == "HTTP_"}
    if meta.get("CONTENT_TYPE"):
        headers["content-type"] = meta["CONTENT_TYPE"]
    query, ip = meta.get("QUERY_STRING", ""), client_ip(request) or None
    return Incoming(headers, body, size_bytes, query, ip, method=request.method or "POST", path=path)


def _describe(view: object, description: type, *, reads_chunks: bool) -> None:
    view.reads_chunks = reads_chunks  # type: ignore[attr-defined]  # see core.web.context
    view.cls = description  # type: ignore[attr-defined]  # what drf-spectacular reads
    view.initkwargs = {}  # type: ignore[attr-defined]  # drf-spectacular reads it


_describe(receive_view, ReceiveDescription, reads_chunks=True)
_describe(receive_behind_view, NotDescribed, reads_chunks=True)
_describe(tried_view, TestReceiveDescription, reads_chunks=True)
_describe(tried_behind_view, NotDescribed, reads_chunks=True)
_describe(status_view, StatusDescription, reads_chunks=False)
