"""Problem details (RFC 9457): the body of every refusal."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse

from brainops.core import logs
from brainops.core.errors import AppError, Problem
from brainops.core.redact import redact_text

CONTENT_TYPE = "application/problem+json"
_MOST_PROBLEMS = 100  # enough to repair a document; bounds the answer


def problem_body(error: AppError) -> dict[str, Any]:
    """The members of a problem.

    `type` stays "about:blank" (its title is then the status's meaning); programs look at `code`.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": redact_text(error.message),
        "request_id": logs.request_id.get(),
        **error.details,
    }
    if error.problems:
        body["problems"] = [_member(problem) for problem in error.problems[:_MOST_PROBLEMS]]
        body["problem_count"] = len(error.problems)
    return body


def problem_response(error: AppError) -> HttpResponse:
    """The answer for an error, for plain Django views and middleware."""
    return HttpResponse(
        orjson.dumps(problem_body(error), default=str),
        status=error.status,
        content_type=CONTENT_TYPE,
        headers=error.headers,
    )


def _member(problem: Problem) -> dict[str, str]:
    place = {"parameter": problem.parameter} if problem.parameter else {"pointer": problem.pointer}
    return {"code": problem.code, "message": redact_text(problem.message), **place}
