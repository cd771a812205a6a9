"""What Django answers when no view did: problem JSON for programs, a plain line for people."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from brainops.core.errors import AppError, InvalidInput, NotFound, PermissionDenied, TooLarge
from brainops.core.web.pages import is_api
from brainops.core.web.problem_json import problem_response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, or 413 for a body beyond the limit."""
    too_large = isinstance(exception, RequestDataTooBig)
    return _answer(request, TooLarge() if too_large else InvalidInput("The request is not well-formed."))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return _answer(request, PermissionDenied())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return _answer(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """500; the trace is in the log under the request id, never in the answer."""
    return _answer(request, AppError())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token."""
    return _answer(request, PermissionDenied("The form was open for too long, or cookies are off. Load it again."))


def _answer(request: HttpRequest, error: AppError) -> HttpResponse:
    if is_api(request) or "text/html" not in request.META.get("HTTP_ACCEPT", ""):
        return problem_response(error)
    text = f"{error.status} {error.title}. {error.message}\n"
    return HttpResponse(text, status=error.status, content_type="text/plain; charset=utf-8", headers=error.headers)
