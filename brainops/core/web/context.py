"""The outermost middleware: request id, both slash forms, refusals, headers, counters."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase

from brainops.core import logs
from brainops.core.database_errors import as_unavailable
from brainops.core.errors import AppError, InvalidInput, LengthRequired, TooLarge, TooManyRequests
from brainops.core.web import headers
from brainops.core.web.clients import client_ip, current_ip
from brainops.core.web.pages import is_api
from brainops.core.web.problem_json import problem_response
from brainops.core.web.rates import add_rate_headers, require_network_pace
from brainops.core.web.statistics import count
from brainops.core.web.traces import end_span, request_span

_UNFIT = ("cannot contain NUL", "expected a number but got")

log = logs.get_logger(__name__)

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SLOW_SECONDS = 1.0


class RequestContext:
    """Everything that is done for each request, in one layer since layers cost time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = perf_counter()
        request_id = _request_id(request)
        id_token = logs.request_id.set(request_id)
        ip_token = current_ip.set(client_ip(request))
        try:
            _read_as_utf8(request)
            with request_span(request) as current:
                response = _refuse(request) or self.get_response(request)
                end_span(current, request, response)
            self._finish(request, response, perf_counter() - started)
        finally:
            logs.request_id.reset(id_token)
            current_ip.reset(ip_token)
        response.headers["X-Request-Id"] = request_id
        return response

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        """Refuse a body of unknown length, which WSGI shows as empty, unless the view reads it in chunks itself.

        Also files from strangers: Django writes uploads of any size to the disk before a view is asked.
        """
        if _is_large_upload(request) and not getattr(getattr(request, "user", None), "is_authenticated", False):
            return problem_response(TooLarge("Files of that size are taken from nobody who is not logged in."))
        if "HTTP_TRANSFER_ENCODING" not in request.META or request.META.get("CONTENT_LENGTH"):
            return None
        return None if getattr(view, "reads_chunks", False) else problem_response(LengthRequired())

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a refusal raised by a view that is not DRF's. Anything unknown goes on to Django's 500.

        The admin looks rows up by whatever id a form names: what is no id at all is the sender's mistake.
        """
        known = error if isinstance(error, AppError) else as_unavailable(error)
        if isinstance(error, ValidationError) or (not is_api(request) and _is_no_value(error)):
            known = InvalidInput("The request is not well-formed.")
        return problem_response(known) if known else None

    @staticmethod
    def _finish(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        if is_api(request):
            headers.add_api_headers(response)
            add_rate_headers(request, response)
        else:
            headers.add_page_headers(request, response)
        if not response.streaming and "Content-Length" not in response.headers:
            response.headers["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined]
        count(request, response.status_code, seconds)
        if seconds > _SLOW_SECONDS and not getattr(request, "may_wait", False):
            log.warning("slow_request", method=request.method, path=request.path, duration_ms=round(seconds * 1000))


def _is_no_value(error: Exception) -> bool:
    """True for what psycopg2 and Django's fields say of a value from an address or a form that no column can hold."""
    return isinstance(error, ValueError) and any(said in str(error) for said in _UNFIT)


def _request_id(request: HttpRequest) -> str:
    """The caller's own id when it is harmless to repeat, else a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    if given and _ACCEPTABLE_ID.fullmatch(given):
        return str(given)
    return os.urandom(12).hex()


def _read_as_utf8(request: HttpRequest) -> None:
    """Read forms as our pages send them: others name charsets that are no encodings of text, which breaks Django."""
    if request.content_type == "multipart/form-data" and request.encoding not in (None, "utf-8"):
        request.encoding = "utf-8"


def _is_large_upload(request: HttpRequest) -> bool:
    if request.content_type != "multipart/form-data" or is_api(request):
        return False
    length = request.META.get("CONTENT_LENGTH") or "0"
    return length.isdigit() and int(length) > settings.BRAINOPS_LIMITS["body_bytes"]


def _refuse(request: HttpRequest) -> HttpResponse | None:
    """The answer to a request that no view should see; None for all others."""
    try:
        request.get_host()
    except DisallowedHost:
        return problem_response(InvalidInput("This server is not known by that host name.", code="unknown_host"))
    if is_api(request):
        try:
            require_network_pace()
        except TooManyRequests as refused:
            return problem_response(refused)
    _drop_slash(request)
    return None


def _drop_slash(request: HttpRequest) -> None:
    """Take one trailing slash off an API address, so that routes are declared once."""
    path = request.path_info
    if path.endswith("/") and is_api(request):
        request.path_info = path[:-1]
