"""The one tree of errors that a caller may see.

    AppError                      500 internal_error
    ├── SecretUnreadable          500 secret_unreadable       a stored secret was changed, or its key is gone
    ├── InvalidInput              400 invalid_input           what was sent is wrong; lists every problem
    │   └── MalformedJson         400 malformed_json          the body is no acceptable JSON
    ├── NotAuthenticated          401 not_authenticated       nobody known is calling
    ├── PermissionDenied          403 permission_denied       known, but not allowed
    ├── NotFound                  404 not_found               missing, or somebody else's: the same answer
    ├── MethodNotAllowed          405 method_not_allowed
    ├── NotAcceptable             406 not_acceptable
    ├── Conflict                  409 conflict                the present state does not allow it
    ├── LengthRequired            411 length_required         a body without Content-Length
    ├── VersionMismatch           412 version_mismatch        If-Match names an older version
    ├── TooLarge                  413 too_large
    ├── UnsupportedMediaType      415 unsupported_media_type
    ├── PreconditionRequired      428 precondition_required   the workspace wants an If-Match with every change
    ├── TooManyRequests           429 too_many_requests       with Retry-After
    └── Unavailable               503 unavailable             with Retry-After
        ├── DatabaseUnavailable   503 database_unavailable    PostgreSQL is away
        └── DatabaseBusy          503 database_busy           a lock or a limit of PostgreSQL; nothing was stored

A door turns them into RFC 9457 problem JSON (brainops/core/api/problems.py). `code` is stable, for programs; the
message is a sentence for people. Secrets never enter a message. The engine returns its own `Problem` values; services
map them to `Problem` here, which has the same fields.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what was sent.

    `pointer` is a JSON pointer into the body (RFC 6901), "" for the whole of it; `parameter` names a query parameter or
    header instead.
    """

    code: str
    message: str
    pointer: str = ""
    parameter: str = ""


class AppError(Exception):
    """Something a caller should be told.

    `details` are members of the answer beside the standard ones; they must be JSON values.
    """

    status: ClassVar[int] = 500
    code: str = "internal_error"
    title: ClassVar[str] = "Internal error"
    sentence: ClassVar[str] = "Something went wrong on our side. The request id finds it in the log."

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        problems: Iterable[Problem] = (),
        details: Mapping[str, Any] | None = None,
        retry_after_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or self.sentence)
        self.code = code or self.code
        self.problems = tuple(problems)
        self.details = dict(details or {})
        self.retry_after_seconds = retry_after_seconds
        self._headers = dict(headers or {})

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self.args[0])

    @property
    def headers(self) -> dict[str, str]:
        """Headers the answer carries; Retry-After is in whole seconds, rounded up (RFC 9110, 10.2.3)."""
        if self.retry_after_seconds is None:
            return self._headers
        return {**self._headers, "Retry-After": str(max(1, math.ceil(self.retry_after_seconds)))}


class SecretUnreadable(AppError):
    """A stored secret cannot be decrypted."""

    code = "secret_unreadable"
    title = "Secret unreadable"


class InvalidInput(AppError):
    """What was sent is wrong. Collect every problem first, then raise once."""

    status = 400
    code = "invalid_input"
    title = "Invalid input"
    sentence = "What was sent is not valid."

    @classmethod
    def from_problems(cls, problems: Iterable[Problem]) -> InvalidInput:
        """The error for a list of problems; the first one also makes the sentence."""
        found = tuple(problems)
        rest = f" ({len(found) - 1} more)" if len(found) > 1 else ""
        return cls(f"{found[0].message}{rest}" if found else "", problems=found)


class MalformedJson(InvalidInput):
    """The body is no acceptable JSON."""

    code = "malformed_json"
    title = "Malformed JSON"


class NotAuthenticated(AppError):
    """Nobody known is calling. The answer names the scheme that works (RFC 9110, 11.6.1)."""

    status = 401
    code = "not_authenticated"
    title = "Not authenticated"
    sentence = "Send an API key or an access token: `Authorization: Bearer …`."

    @property
    def headers(self) -> dict[str, str]:
        """WWW-Authenticate beside the usual ones."""
        return {"WWW-Authenticate": 'Bearer realm="BrainOps"', **super().headers}


class PermissionDenied(AppError):
    """The caller is known and may not do this."""

    status = 403
    code = "permission_denied"
    title = "Permission denied"
    sentence = "You may not do this."


class NotFound(AppError):
    """There is no such thing, or it belongs to somebody else: a caller cannot tell the two apart."""

    status = 404
    code = "not_found"
    title = "Not found"
    sentence = "There is nothing at this address, or it is not yours."


class MethodNotAllowed(AppError):
    """The address exists, the method on it does not."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"
    sentence = "This address does not take this method."


class NotAcceptable(AppError):
    """The caller accepts only forms we do not make."""

    status = 406
    code = "not_acceptable"
    title = "Not acceptable"


class Conflict(AppError):
    """The present state does not allow this."""

    status = 409
    code = "conflict"
    title = "Conflict"


class LengthRequired(AppError):
    """The body came in chunks; how long it is has to be known before it is read."""

    status = 411
    code = "length_required"
    title = "Length required"
    sentence = "Send the body with Content-Length, not in chunks."


class VersionMismatch(AppError):
    """If-Match names a version that is no longer the present one."""

    status = 412
    code = "version_mismatch"
    title = "Version mismatch"


class TooLarge(AppError):
    """The body is larger than the limit."""

    status = 413
    code = "too_large"
    title = "Too large"


class UnsupportedMediaType(AppError):
    """The body is of a type, charset or encoding that is not read here."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class PreconditionRequired(AppError):
    """A change was sent without saying which state it is meant for (RFC 6585, 3)."""

    status = 428
    code = "precondition_required"
    title = "Precondition required"
    sentence = (
        "This workspace takes changes only with `If-Match`. Read what you want to change, and send its ETag along."
    )


class TooManyRequests(AppError):
    """A limit was reached; the answer says when to come back."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"
    sentence = "Too many requests. Come back later."


class Unavailable(AppError):
    """A part that is needed is away. Nothing was accepted."""

    status = 503
    code = "unavailable"
    title = "Unavailable"


class DatabaseUnavailable(Unavailable):
    """PostgreSQL cannot be reached."""

    code = "database_unavailable"
    title = "The database is away"


class DatabaseBusy(Unavailable):
    """PostgreSQL gave up on a statement: a deadlock, a lock or time limit, no free connection."""

    code = "database_busy"
    title = "The database is busy"
