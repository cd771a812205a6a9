"""POST /callbacks/{token}: a one-time URL. Public, because the token in the address is its own proof.

A plain Django view: no session, no user. Mail programs and chats open every link they see, so nothing happens by
another method, and a person who opens it is told what it is.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.views import APIView

from automation.api.signals import SentSignalShape, shown
from automation.services import signals
from brainops.core.api.json import read_body, read_json
from brainops.core.errors import MethodNotAllowed, UnsupportedMediaType
from brainops.core.ratelimit.rates import bucket, require
from brainops.core.web.clients import client_ip, network_of

EXPLANATION = (
    "This address belongs to a workflow that waits for an answer. Opening it does nothing: the answer is sent with "
    "POST, once."
)
ALLOW = {"Allow": "POST"}


@csrf_exempt
def callback_view(request: HttpRequest, token: str) -> HttpResponse:
    """Send the signal of the URL."""
    if request.method != "POST":
        return _explain(request)
    require(bucket("address_callbacks", network_of(client_ip(request))))
    sent = signals.use_callback(token, payload=_payload(request))
    return HttpResponse(orjson.dumps(shown(sent)), status=202, content_type="application/json")


def _explain(request: HttpRequest) -> HttpResponse:
    """405, as a sentence for people and as a problem for programs."""
    if request.method == "GET" and "text/html" in request.META.get("HTTP_ACCEPT", ""):
        return HttpResponse(f"{EXPLANATION}\n", status=405, content_type="text/plain; charset=utf-8", headers=ALLOW)
    raise MethodNotAllowed(EXPLANATION, headers=ALLOW)


def _payload(request: HttpRequest) -> Any:
    """The body's JSON; None without a body, whatever its type is called."""
    if not read_body(request):
        return None
    kind = (request.content_type or "").strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaType(f"The body is {kind or 'of no type'!r}. Send application/json, or no body.")
    return read_json(request)


class CallbackDescription(APIView):
    """Lends `callback_view` its description: drf-spectacular describes DRF's classes only. Never called."""

    authentication_classes: Any = ()
    permission_classes: Any = ()

    @extend_schema(
        summary="Use a one-time URL",
        description="Sends the signal that the URL was made for; the body, any JSON, is its payload. It works once.",
        tags=["Approvals"],
        auth=[],
        parameters=[OpenApiParameter("token", str, OpenApiParameter.PATH, description="From the step's output.")],
        request={"application/json": {}},
        responses={
            202: OpenApiResponse(SentSignalShape, "The signal was sent."),
            404: OpenApiResponse(description="We never made such a URL."),
            405: OpenApiResponse(description="Everything but POST: nothing happened."),
            409: OpenApiResponse(description="callback_used, callback_expired or run_is_final."),
            413: OpenApiResponse(description="The body is too large."),
            415: OpenApiResponse(description="The body is no JSON."),
            429: OpenApiResponse(description="Too many from this network; see Retry-After."),
        },
    )
    def post(self, *_args: Any, **_kwargs: Any) -> None:
        """Never called."""


callback_view.cls = CallbackDescription  # type: ignore[attr-defined]  # what drf-spectacular reads
callback_view.initkwargs = {}  # type: ignore[attr-defined]  # as above
