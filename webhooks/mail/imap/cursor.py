"""Up to where a folder was read: its UIDVALIDITY and the last UID."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

Json = Any

OVERLAP = timedelta(days=1)  # that is read again when the server has numbered the folder anew


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a folder was left.

    `newest` is when the newest mail came into it that was read or, before any was, that was there before the trigger.
    `horizon` is set while a folder that was numbered anew is read again: mails that came before it were read before.
    """

    uidvalidity: int
    uid: int
    newest: datetime | None = None
    since: datetime | None = None  # mails that came until then were there before the trigger
    horizon: datetime | None = None

    def in_folder(self, uidvalidity: int) -> Cursor:
        """The same place in a folder that was numbered anew, or this cursor if it was not."""
        if uidvalidity == self.uidvalidity:
            return self
        starts = [moment for moment in (self.since, self.newest and self.newest - OVERLAP) if moment]
        return replace(self, uidvalidity=uidvalidity, uid=0, horizon=max(starts, default=None))

    def is_behind(self, came_at: datetime | None) -> bool:
        """True for a mail that was read before the folder was numbered anew, or was there before the trigger."""
        return came_at is not None and self.horizon is not None and came_at <= self.horizon

    def past(self, uid: int, came_at: datetime | None) -> Cursor:
        """After one more mail."""
        newest = max((moment for moment in (self.newest, came_at) if moment), default=None)
        return replace(self, uid=uid, newest=newest)

    def to_json(self) -> dict[str, Json]:
        """As it is stored."""
        times = {"newest": self.newest, "since": self.since, "horizon": self.horizon}
        said = {name: moment.isoformat() for name, moment in times.items() if moment}
        return {"uidvalidity": self.uidvalidity, "uid": self.uid, **said}


def read_cursor(stored: dict[str, Json]) -> Cursor:
    """A cursor as it was stored."""
    times = {name: datetime.fromisoformat(stored[name]) for name in ("newest", "since", "horizon") if name in stored}
    return Cursor(stored["uidvalidity"], stored["uid"], **times)
