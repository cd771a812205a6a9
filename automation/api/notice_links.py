"""/notices/mute/{token}: the link in a mail by which its receiver silences it.

Public, because the token is its own proof. Mail programs open every link they see: GET only asks, POST does it, as a
button of the page or as the one-click unsubscribe of a mail program (RFC 8058).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.views import APIView

from automation.services import notice_links
from brainops.core.errors import MethodNotAllowed
from brainops.core.ratelimit.rates import bucket, require
from brainops.core.web.clients import client_ip, network_of

# A page without scripts that posts to itself; an API answer is otherwise sandboxed.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@csrf_exempt
def notice_link_view(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, or do it. Raises NotFound for a token that we never made."""
    if request.method not in ("GET", "HEAD", "POST"):
        raise MethodNotAllowed("Open the link, or send POST.", headers={"Allow": "GET, HEAD, POST"})
    require(bucket("address_callbacks", network_of(client_ip(request))))
    if request.method != "POST":
        notice_links.read(token)
        return _page(request, is_done=False)
    is_wanted = request.POST.get("again") == "yes"
    what = notice_links.use(token, is_wanted=is_wanted)
    return _page(request, is_done=True, is_wanted=is_wanted, what=what)


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}  # the token is in the address
    answer = render(request, "automation/notice_link.html", context)
    for name, value in headers.items():
        answer[name] = value
    return answer


class NoticeLinkDescription(APIView):
    """Lends `notice_link_view` its description: drf-spectacular describes DRF's classes only. Never called."""

    authentication_classes: Any = ()
    permission_classes: Any = ()

    @extend_schema(
        operation_id="notice_link_use",
        summary="Get no more of a notice's mails",
        description="The link at the end of a mail. `again=yes` takes it back. RFC 8058: mail programs send it, too.",
        tags=["Notices"],
        auth=[],
        parameters=[OpenApiParameter("token", str, OpenApiParameter.PATH, description="From the mail.")],
        request={
            "application/x-www-form-urlencoded": {
                "type": "object",
                "properties": {"again": {"enum": ["yes"]}, "List-Unsubscribe": {"enum": ["One-Click"]}},
            }
        },
        responses={
            (200, "text/html"): OpenApiResponse(str, "A page that says what was done."),
            404: OpenApiResponse(description="We never made such a link, or the rule or the membership is gone."),
            429: OpenApiResponse(description="Too many from this network; see Retry-After."),
        },
    )
    def post(self, *_args: Any, **_kwargs: Any) -> None:
        """Never called."""

    @extend_schema(
        operation_id="notice_link_read",
        summary="Open the link of a notice's mail",
        tags=["Notices"],
        auth=[],
        parameters=[OpenApiParameter("token", str, OpenApiParameter.PATH, description="From the mail.")],
        responses={
            (200, "text/html"): OpenApiResponse(str, "A page with a button. Nothing has happened yet."),
            404: OpenApiResponse(description="We never made such a link."),
            429: OpenApiResponse(description="Too many from this network; see Retry-After."),
        },
    )
    def get(self, *_args: Any, **_kwargs: Any) -> None:
        """Never called."""


notice_link_view.cls = NoticeLinkDescription  # type: ignore[attr-defined]  # what drf-spectacular reads
notice_link_view.initkwargs = {}  # type: ignore[attr-defined]  # as above
