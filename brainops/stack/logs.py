"""The logs of the processes: shown as they grow, and kept from growing for ever."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

LIMIT_BYTES = 20 << 20
OUR_OWN = "supervisor"  # what a detached supervisor shows goes in there: to show that again would never end


class Follower:
    """Show what is added to the logs in a folder, each line with its process's name before it."""

    def __init__(self, folder: Path, show: Callable[[str], None]) -> None:
        self._folder = folder
        self._show = show
        self._positions = {path: path.stat().st_size for path in self._paths()}

    def show_new(self) -> None:
        """Show the complete lines added since the last call."""
        for path in self._paths():
            for line in self._new_lines(path):
                self._show(f"{path.stem:<10}| {line}")

    def _paths(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*.log") if path.stem != OUR_OWN)

    def _new_lines(self, path: Path) -> list[str]:
        position = self._positions.get(path, 0)
        size = path.stat().st_size
        if size < position:  # it was cut
            position = 0
        if size == position:
            return []
        with open(path, "rb") as stream:
            stream.seek(position)
            whole, newline, _ = stream.read().rpartition(b"\n")
        self._positions[path] = position + len(whole) + len(newline)
        return whole.decode("utf-8", errors="replace").splitlines()


def cut_long_logs(folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
    """Keep the older half of a log beside it as `.log.1` and empty it when it is too long.

    The processes go on writing to the same file: they append, so it simply starts anew.
    """
    for path in folder.glob("*.log"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size > limit_bytes:
                path.with_suffix(".log.1").write_bytes(path.read_bytes())
                os.truncate(path, 0)
