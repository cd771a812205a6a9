"""The HTTP answer for what became of a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from automation.engine.status import RunStatus
from automation.services import files
from automation.steps.respond import GUARD
from brainops.core.errors import AppError
from brainops.core.web.problem_json import problem_response
from webhooks.models import AnswerMode
from webhooks.services import answers, progress, status_links
from webhooks.services.answering import Answering
from webhooks.services.answers import Download, Spoken
from webhooks.services.outcomes import (
    Accepted,
    Acknowledged,
    Answered,
    Buffered,
    Greeting,
    Outcome,
    Refused,
    Repeated,
    Unfit,
)
from webhooks.services.status_links import StatusLink
from webhooks.services.tried_deliveries import Tried

DUPLICATE = "Brainops-Duplicate"
RUN = "Brainops-Run"
LINES = "application/x-ndjson"
COME_BACK_SECONDS = 2  # to a status address


class RunFailed(AppError):
    """The run that should have answered ended without success."""

    status = 500
    code = "run_failed"
    title = "The run failed"


def respond(outcome: Outcome) -> HttpResponseBase:
    """The answer for an outcome."""
    match outcome:
        case Accepted():
            return _accepted(outcome)
        case Repeated():
            return _repeated(outcome)
        case Acknowledged():
            body = {"run": None, "event": str(outcome.event_id), "reason": outcome.reason, "detail": outcome.detail}
            return _json(body, 200)
        case Buffered():
            return _json({**_names(None, outcome.event_id), "reason": "buffered"}, 202)
        case Answered():
            reply = outcome.reply
            headers = {**reply.headers, **GUARD, "Content-Type": reply.content_type}
            return HttpResponse(reply.body, headers=headers)
        case Refused():
            return problem_response(outcome.error)


def status_answer(link: StatusLink) -> HttpResponseBase:
    """What a status address tells: the answer of the run once there is one, until then its status alone."""
    answer = answers.answer_of(link.run_uid, link.mode)
    if answer is not None:
        return spoken(answer, link.run_uid, None)
    return _json({"status": "running"}, 202, {"Retry-After": str(COME_BACK_SECONDS)})


def tried_answer(tried: Tried) -> HttpResponseBase:
    """What the sender of a test is answered: a refusal and a handshake as by the webhook itself."""
    match tried.judgement:
        case Unfit():
            return problem_response(tried.judgement.error)
        case Greeting():
            reply = tried.judgement.reply
            return HttpResponse(reply.body, headers={**reply.headers, **GUARD, "Content-Type": reply.content_type})
    delivery = tried.delivery
    body = {"test": str(delivery.id), "run": str(delivery.run_uid) if delivery.run_uid else None}
    return _json({**body, "reason": delivery.reason} if delivery.reason else body, delivery.status)


def _accepted(outcome: Accepted) -> HttpResponseBase:
    answering = outcome.answering
    if answering.reply is not None:
        return _reply(answering.reply, outcome.run_uid)
    if answering.mode == AnswerMode.STREAM and (seat := progress.Seat()):
        return _stream(outcome, seat)
    if answering.wait_seconds and answering.mode != AnswerMode.STREAM:
        answer = answers.await_answer(outcome.run_id, outcome.run_uid, answering.mode, seconds=answering.wait_seconds)
        if answer is not None:
            return spoken(answer, outcome.run_uid, outcome.event_id)
    body = _where(outcome.run_uid, outcome.event_id, answering)
    return _json(body, 202, {"Location": run_path(outcome.run_uid)})


def _repeated(outcome: Repeated) -> HttpResponseBase:
    """The first copy's answer as far as it is known, else 200 with the run's address."""
    answering, run_uid = outcome.answering, outcome.run_uid
    response: HttpResponseBase
    answer = answers.answer_of(run_uid, answering.mode) if answering.wait_seconds and run_uid else None
    if answering.reply is not None and run_uid:
        response = _reply(answering.reply, run_uid)
    elif answer is not None and run_uid:
        response = spoken(answer, run_uid, outcome.event_id)
    else:
        body = _where(run_uid, outcome.event_id, answering)
        response = _json({**body, "reason": outcome.reason} if outcome.reason else body, 200)
    if run_uid and "Location" not in response.headers:
        response.headers["Location"] = run_path(run_uid)
    response.headers[DUPLICATE] = "true"
    return response


def _reply(reply: Spoken, run_uid: UUID) -> HttpResponse:
    """An answer of the config's own."""
    return HttpResponse(reply.body, status=reply.status, headers={**GUARD, **reply.headers, RUN: str(run_uid)})


class _Lines:
    """JSON, one object a line. Its place is given back at the end, or when the caller is gone before the first line."""

    def __init__(self, lines: Iterator[dict[str, Any]], seat: progress.Seat) -> None:
        self._lines = lines
        self._seat = seat

    def __iter__(self) -> Iterator[bytes]:
        return (orjson.dumps(line) + b"\n" for line in self._lines)

    def close(self) -> None:
        """Called by the server, whatever became of the caller."""
        self._seat.give_back()


def _stream(outcome: Accepted, seat: progress.Seat) -> HttpResponseBase:
    """The run's progress until it ends or the caller's time is over."""
    address = status_links.url_of(StatusLink(outcome.run_uid, AnswerMode.STREAM))
    seconds = outcome.answering.wait_seconds
    lines = progress.lines(outcome.run_id, outcome.run_uid, seconds=seconds, address=address)
    headers = {**GUARD, RUN: str(outcome.run_uid)}
    return StreamingHttpResponse(_Lines(lines, seat), content_type=LINES, headers=headers)


def spoken(answer: answers.Answer, run_uid: UUID, event_id: UUID | None) -> HttpResponseBase:
    """What the run says, or what to say when it ended without a word."""
    location = {"Location": run_path(run_uid)}
    if isinstance(answer, Spoken):
        return HttpResponse(answer.body, status=answer.status, headers={**answer.headers, RUN: str(run_uid)})
    if isinstance(answer, Download):
        return _download(answer, run_uid)
    status = answer.status if answer else RunStatus.FAILED
    if status == RunStatus.SUCCEEDED and not (answer and answer.lacks):
        return _json({**_names(run_uid, event_id), "status": status.word}, 200, location)
    said = f"ended as {status.word} before it answered. Its page says why."
    if answer and answer.lacks:
        said = "has an output that is no file: let the workflow's output be one reference to a stored file."
    message = f"Run {run_uid} {said}"
    return problem_response(
        RunFailed(message, details={"run": str(run_uid), "run_status": status.word}, headers=location)
    )


def _download(answer: Download, run_uid: UUID) -> HttpResponseBase:
    """A file to be saved: a browser runs nothing of it, whatever its sender called it."""
    response = StreamingHttpResponse(files.content(answer.file), content_type="application/octet-stream")
    response.headers["Content-Length"] = str(answer.file.size)
    response.headers["Content-Disposition"] = content_disposition_header(True, answer.file.name) or "attachment"
    for name, value in {**GUARD, RUN: str(run_uid)}.items():
        response.headers[name] = value
    return response


def _names(run_uid: UUID | None, event_id: UUID | None) -> dict[str, str | None]:
    return {"run": str(run_uid) if run_uid else None, "event": str(event_id) if event_id else None}


def _where(run_uid: UUID | None, event_id: UUID | None, answering: Answering) -> dict[str, str | None]:
    """The names of run and event, and where a caller who waited in vain finds the answer."""
    names = _names(run_uid, event_id)
    if run_uid and answering.wait_seconds:
        names["status_url"] = status_links.url_of(StatusLink(run_uid, answering.mode))
    return names


def run_path(run_uid: UUID) -> str:
    """Where the run can be read."""
    return f"{settings.BRAINOPS_API_PREFIX}/runs/{run_uid}"


def _json(body: object, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json", headers=headers)
