"""Turning what went wrong on the way into a `Failure`."""

from __future__ import annotations

from dataclasses import replace

from brainops.core.egress import errors
from brainops.core.redact import redact, redact_text
from integrations.contract import ErrorClass, Failure
from integrations.messages import Request

_CLASSES: dict[type[errors.EgressError], ErrorClass] = {
    errors.InvalidRequest: ErrorClass.USER,
    errors.BlockedTarget: ErrorClass.USER,
    errors.HostNotAllowed: ErrorClass.USER,
    errors.DnsFailed: ErrorClass.TRANSIENT,
    errors.ConnectFailed: ErrorClass.TRANSIENT,
    errors.ConnectTimeout: ErrorClass.TIMEOUT,
    errors.TlsFailed: ErrorClass.USER,
    errors.ReadTimeout: ErrorClass.TIMEOUT,
    errors.DeadlineExceeded: ErrorClass.TIMEOUT,
    errors.TooLarge: ErrorClass.USER,
    errors.ProtocolError: ErrorClass.TRANSIENT,
    errors.ConnectionLost: ErrorClass.TRANSIENT,
    errors.TooManyRedirects: ErrorClass.USER,
    errors.Cancelled: ErrorClass.CANCELLED,
}
# The service has answered and acted, only its answer is not wanted.
_ANSWERED = (errors.TooLarge, errors.TooManyRedirects, errors.HostNotAllowed)


def no_answer(error: errors.EgressError, request: Request) -> Failure:
    """Describe a request that got no answer."""
    return Failure(
        type=error.code,
        message=f"{request.method} failed: {error.message}",
        error_class=_CLASSES[type(error)],
        details={"method": request.method},
        is_outcome_unknown=request.is_write and error.was_sent and not isinstance(error, _ANSWERED),
    )


def without_secrets(failure: Failure) -> Failure:
    """Mask registered secrets in everything that is stored and shown."""
    return replace(failure, message=redact_text(failure.message), details=redact(dict(failure.details)))
