"""DRF's exception handler: every refusal becomes problem JSON with all problems at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpResponse
from rest_framework import exceptions as drf

from brainops.core import errors
from brainops.core.database_errors import as_unavailable
from brainops.core.errors import AppError, InvalidInput, Problem
from brainops.core.web.problem_json import problem_response

_WHOLE = "non_field_errors"  # DRF's key for what is wrong with an object as a whole


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """The answer for an exception of a view; None lets it go on to Django's 500, which logs it with its trace."""
    known = as_app_error(error)
    return problem_response(known) if known else None


def as_app_error(error: Exception) -> AppError | None:
    """The error of our tree for any exception a view may raise, or None for a defect of ours."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, drf.APIException):
        return _from_drf(error)
    if isinstance(error, Http404):
        return errors.NotFound()
    if isinstance(error, DjangoPermissionDenied):
        return errors.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return errors.TooLarge("The body is larger than the limit.")
    if isinstance(error, SuspiciousOperation):
        return InvalidInput("The request is not well-formed.")
    return as_unavailable(error)


def _from_drf(error: drf.APIException) -> AppError | None:
    match error:
        case drf.ValidationError():
            return InvalidInput.from_problems(_problems(error.detail, ""))
        case drf.ParseError():
            return errors.MalformedJson(f"The body cannot be read: {error.detail}")
        case drf.AuthenticationFailed() | drf.NotAuthenticated():
            return errors.NotAuthenticated()
        case drf.PermissionDenied():
            return errors.PermissionDenied()
        case drf.NotFound():
            return errors.NotFound()
        case drf.MethodNotAllowed():
            return errors.MethodNotAllowed(str(error.detail))
        case drf.NotAcceptable():
            return errors.NotAcceptable("Only application/json is made here.")
        case drf.UnsupportedMediaType():
            return errors.UnsupportedMediaType(str(error.detail))
        case drf.Throttled():
            return errors.TooManyRequests(retry_after_seconds=getattr(error, "wait", None) or 1)
        case _:
            return None


def _problems(detail: Any, pointer: str) -> Iterator[Problem]:
    """One problem for each leaf of a serializer's errors."""
    if isinstance(detail, Mapping):
        for key, below in detail.items():
            yield from _problems(below, pointer if key == _WHOLE else f"{pointer}/{_escape(str(key))}")
    elif isinstance(detail, list):
        # a list of texts is about this place; a list of objects is about the items of a list
        for index, below in enumerate(detail):
            is_leaf = isinstance(below, str)
            yield from _problems(below, pointer if is_leaf else f"{pointer}/{index}")
    else:
        yield Problem(getattr(detail, "code", None) or "invalid", str(detail), pointer)


def _escape(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
