"""POST /callbacks/{token}: a one-time URL. Public, because the token in the address is its own proof.

Mail programs and chats open every link they see: by GET nothing happens, and a person is told so.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from automation.api.signals import SentSignalShape, answer_for
from automation.api.start_limit import StartLimit
from automation.services import signals
from brainops.core.errors import MethodNotAllowed, TooManyRequests
from brainops.core.web.clients import client_ip, network_of

EXPLANATION = (
    "This address belongs to a workflow that waits for an answer. Opening it does nothing: the answer is sent with "
    "POST, once."
)

limit = StartLimit()


@extend_schema_view(get=extend_schema(exclude=True))
class CallbackView(APIView):
    """Takes the answer."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        summary="Use a one-time URL",
        tags=["Approvals"],
        auth=[],
        parameters=[OpenApiParameter("token", str, OpenApiParameter.PATH, description="From the step's output.")],
        request={"application/json": {}},
        responses={
            202: OpenApiResponse(SentSignalShape, "The signal was sent; the body, any JSON, is its payload."),
            404: OpenApiResponse(description="We never made such a URL."),
            405: OpenApiResponse(description="Everything but POST: nothing happened."),
            409: OpenApiResponse(description="callback_used, callback_expired or run_is_final."),
            413: OpenApiResponse(description="The body is too large."),
            429: OpenApiResponse(description="Too many from this address; see Retry-After."),
        },
    )
    def post(self, request: Request, token: str) -> Response:
        """Send the signal of the URL. It works once."""
        _require_pace(request)
        payload: Any = request.data if request.body else None
        return answer_for(signals.use_callback(token, payload=payload))

    def get(self, request: Request, token: str) -> NoReturn:
        """Say what the address is for; do nothing."""
        raise MethodNotAllowed(EXPLANATION, headers={"Allow": "POST"})


def _require_pace(request: Request) -> None:
    """Raise TooManyRequests when one address tries tokens, or posts, faster than the limit."""
    per_second = settings.BRAINOPS_LIMITS["callbacks_per_second"]
    wait_seconds = limit.take(network_of(client_ip(request._request)), per_second=per_second)
    if wait_seconds:
        raise TooManyRequests(
            f"More than {per_second} calls a second came from your address. Slow down.",
            retry_after_seconds=wait_seconds,
        )
