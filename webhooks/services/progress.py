"""A run's progress as lines: its steps as they begin and end, then what it answers. Bounded by time and places."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection

from automation.engine.status import RunStatus, StepStatus
from automation.services import waiting
from webhooks.store.said import said, steps

LOOK_SECONDS = 0.2


class Seat:
    """A place among the waiting requests of this process, given back once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_held = waiting.room().take_seat()

    def __bool__(self) -> bool:
        return self._is_held

    def give_back(self) -> None:
        """Give it back; again is fine."""
        with self._lock:
            if self._is_held:
                self._is_held = False
                waiting.room().give_seat_back()


def lines(run_id: int, run_uid: UUID, *, seconds: float, address: str) -> Iterator[dict[str, Any]]:
    """`{"run", "status"}`, then `{"step", "status"}` as steps change, at the end `{"run", "status", "output"}`.

    After `seconds` the last line of a run that goes on names the address where its answer can be asked for.
    """
    ends_at = time.monotonic() + seconds
    shown: dict[str, int] = {}
    status: int | None = None
    while True:
        with connection.cursor() as cursor:
            now, found = steps(cursor, run_id)
        if now is None:
            return
        if now != status and now < RunStatus.SUCCEEDED:
            yield {"run": str(run_uid), "status": RunStatus(now).word}
        for path, step_status in found:
            if shown.get(path) != step_status:
                shown[path] = step_status
                yield {"step": path, "status": StepStatus(step_status).word}
        status = now
        if status >= RunStatus.SUCCEEDED:
            yield _last(run_uid, status)
            return
        if time.monotonic() >= ends_at:
            yield {"run": str(run_uid), "status": RunStatus(status).word, "status_url": address}
            return
        time.sleep(LOOK_SECONDS)


def _last(run_uid: UUID, status: int) -> dict[str, Any]:
    line: dict[str, Any] = {"run": str(run_uid), "status": RunStatus(status).word}
    if status == RunStatus.SUCCEEDED:
        with connection.cursor() as cursor:
            found = said(cursor, run_uid)
        line["output"] = found.output if found else None
    return line
