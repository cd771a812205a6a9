"""Several things at the same time, for tests of races."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def beside_each_other(*parts: Callable[[], Any]) -> None:
    """Run functions in threads of their own, each with its own connection; raise what they raise."""
    failures: list[BaseException] = []

    def run(part: Callable[[], Any]) -> None:
        try:
            part()
        except BaseException as error:  # noqa: BLE001  # raised again below, in the test's own thread
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]
