"""Lives of worker processes that know the kind `act`: children of a process that has loaded the product once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.db import connection

from automation.tests.crash_points import nursery

if TYPE_CHECKING:
    from tests.live import Receiver

ROOT = Path(__file__).resolve().parents[3]


class Lives:
    """One process after the other, each a whole Runtime on the test database."""

    def __init__(self, receiver: Receiver) -> None:
        base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
        environment = {
            **os.environ,
            "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}",
            "BRAINOPS_EGRESS_ALLOW": receiver.address,
            "BRAINOPS_LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-W", "ignore", "-m", __name__]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def live(self, point: str | None = None, nth: int = 1) -> int:
        """A process that works until nothing is left but to wait for news, or dies at a point; its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"point": point, "nth": nth, "how": "exit", "act": None}) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return int(said["code"])

    def close(self) -> None:
        """No more lives."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def main() -> None:
    """Teach the workers `act`, then raise them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from automation.runtime import plans
    from automation.tests.property.acts import kinds

    plans.all_kinds = kinds
    nursery.main()


if __name__ == "__main__":
    main()
