"""Threads a worker process cannot do without."""

from __future__ import annotations

import os
import threading

import structlog

EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h

log = structlog.get_logger(__name__)


class VitalThread(threading.Thread):
    """A thread whose unexpected end ends the process.

    A worker without its writer or claimer would breathe and hold runs for ever. A dead one is noticed: its
    supervisor starts it again, and others take its runs.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)

    def run(self) -> None:
        """Live; on any error that `live` did not expect, end the process at once."""
        try:
            self.live()
        except BaseException:
            log.critical("vital_thread_broke", thread=self.name, exc_info=True)
            os._exit(EXIT_CODE)

    def live(self) -> None:
        """What the thread does until it is stopped."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it lives for.")
