"""Running one action: drive its generator, send what it asks for, hand back what came."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

from brainops.core import clock
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.errors import AppError
from integrations.contract import (
    Action,
    ActionCall,
    ErrorClass,
    Failure,
    Found,
    Outcome,
    PollCall,
    PollingTrigger,
)
from integrations.messages import Json, Mask, Request, Response, as_it_is
from integrations.runner.failures import no_answer, without_secrets
from integrations.runner.requests import wire_request

T = TypeVar("T")

MAX_REQUESTS = 100  # of one action: a loop over pages has to end


def run_action(
    action: Action,
    config: Mapping[str, Json],
    *,
    path: str,
    attempt: int,
    idempotency_key: str,
    remaining_seconds: Callable[[], float],
    is_cancelled: Callable[[], bool],
    bounds: tuple[frozenset[str], ...] = (),
    mask: Mask = as_it_is,
    client: http.Client | None = None,
) -> Outcome:
    """Run one attempt of an action to its `Result` or `Failure`; sends through the process's client unless given one.

    The first write carries `idempotency_key`, further ones `<key>-2`, `<key>-3`: stable over attempts, because an
    action asks for the same writes in the same order. `bounds` are the hosts that each secret in `config` may be sent
    to, `mask` takes those secrets out of texts. Raises only for defects of the action itself.
    """
    errand = _Errand(action, idempotency_key, remaining_seconds, is_cancelled, bounds, mask, client or http.client())
    steps = action.run(ActionCall(config, path, attempt))
    try:
        outcome = errand.drive(steps)
    finally:
        steps.close()
    return without_secrets(outcome) if isinstance(outcome, Failure) else outcome


def run_poll(
    poll: PollingTrigger,
    config: Mapping[str, Json],
    *,
    cursor: Json,
    remaining_seconds: Callable[[], float],
    mask: Mask = as_it_is,
    client: http.Client | None = None,
) -> Found | Failure:
    """Look once. Sends and fails like `run_action`; a poll only reads, so nothing carries an idempotency key."""
    errand = _Errand(poll, "", remaining_seconds, _never, (), mask, client or http.client())
    steps = poll.poll(PollCall(config, cursor))
    try:
        outcome = errand.drive(steps)
    finally:
        steps.close()
    return without_secrets(outcome) if isinstance(outcome, Failure) else outcome


def _never() -> bool:
    return False


class _Errand:
    """The state of one run of one action or poll: how many requests, how many writes, how much time."""

    def __init__(
        self,
        action: Action | PollingTrigger,
        idempotency_key: str,
        remaining_seconds: Callable[[], float],
        is_cancelled: Callable[[], bool],
        bounds: tuple[frozenset[str], ...],
        mask: Mask,
        client: http.Client,
    ) -> None:
        self._action = action
        self._idempotency_key = idempotency_key
        self._remaining_seconds = remaining_seconds
        self._is_cancelled = is_cancelled
        self._bounds = bounds
        self._mask = mask
        self._client = client
        self._writes = 0

    def drive(self, steps: Generator[Request, Response, T]) -> T | Failure:
        """Answer the generator's requests until it returns; the first request without an answer ends it."""
        try:
            request = next(steps)
            for _ in range(MAX_REQUESTS):
                sent = self._send(request)
                if isinstance(sent, Failure):
                    return sent
                request = steps.send(sent)
        except StopIteration as end:
            outcome: T = end.value
            return outcome
        return Failure(
            "too_many_requests",
            f"{self._action.title} asked for more than {MAX_REQUESTS} requests.",
            ErrorClass.INTERNAL,
        )

    def _send(self, request: Request) -> Response | Failure:
        total_seconds = min(request.timeout_seconds or self._action.default_timeout_seconds, self._remaining_seconds())
        if total_seconds <= 0:
            return Failure("deadline", f"No time was left for {request.method}.", ErrorClass.TIMEOUT)
        try:
            answer = self._client.send(
                wire_request(
                    request,
                    idempotency_key=self._next_key(request),
                    total_seconds=total_seconds,
                    is_cancelled=self._is_cancelled,
                    bounds=self._bounds,
                )
            )
        except EgressError as error:
            return no_answer(error, request)
        except AppError as error:
            return Failure("invalid_request", f"{request.method} cannot be sent: {error.message}")
        return Response(answer.status, clock.now(), answer.headers, answer.body, answer.url, self._mask)

    def _next_key(self, request: Request) -> str:
        if not request.is_write or not self._idempotency_key:
            return ""
        self._writes += 1
        return self._idempotency_key if self._writes == 1 else f"{self._idempotency_key}-{self._writes}"
