"""What `up` tells the person in front of it: one line a phase, with the seconds it took."""

import time


class Report:
    """Prints lines with the time since the start. Goes quiet when nobody listens any more."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._is_open = True

    def phase(self, text: str) -> None:
        """Say that a phase is done."""
        self.line(f"[{time.monotonic() - self._started:6.2f} s] {text}")

    def line(self, text: str = "") -> None:
        """Say something."""
        if not self._is_open:
            return
        try:
            print(text, flush=True)
        except (BrokenPipeError, OSError):
            self._is_open = False
