"""What an exception of the database means for the caller: come back later, or a defect of ours."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError, OperationalError

from brainops.core.errors import DatabaseBusy, DatabaseUnavailable, Unavailable

# SQLSTATE classes and codes (PostgreSQL manual, appendix A).
_BUSY_CODES = frozenset({"40001", "40P01", "55P03", "57014"})  # serialization, deadlock, lock not available, cancelled
_BUSY_CLASSES = ("53",)  # insufficient resources: too many connections, disk full
_AWAY_CLASSES = ("08", "57")  # connection exception, operator intervention (shutdown, starting up)


def as_unavailable(error: BaseException) -> Unavailable | None:
    """The 503 for a database that is away or busy; None when the exception is something else."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    code = _sqlstate(error)
    if code in _BUSY_CODES or code.startswith(_BUSY_CLASSES):
        return DatabaseBusy(
            "The database could not take this now and nothing was stored. Send it again.", retry_after_seconds=1
        )
    if code.startswith(_AWAY_CLASSES) or (not code and isinstance(error, OperationalError | InterfaceError)):
        return DatabaseUnavailable(
            "The database cannot be reached and nothing was stored. Send it again in a few seconds.",
            retry_after_seconds=5,
        )
    return None


def _sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of the error, from the driver's exception behind Django's; "" without an answer of a server."""
    return getattr(error, "pgcode", None) or getattr(error.__cause__, "pgcode", None) or ""
