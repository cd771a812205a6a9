"""A process that has loaded the product once and forks children of it: each looks at one due source and dies on the way.

Reads one JSON line an order, `{"point", "things", "settled"}`: the child dies at the point (null: of nothing), its source
shows `things`, and what it settles is appended to the file `settled`. Answers with the child's exit code.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import django

EXIT_CODE = 9


def live(order: dict[str, Any]) -> None:
    """Look once, and die on the way."""
    from automation import triggers
    from automation.engine import points
    from automation.services import sources
    from automation.tests.arrivals.inbox import Inbox

    box, found = Inbox(), triggers._modules
    box.things = order["things"]
    triggers._modules = lambda: iter([*found(), box.module()])
    triggers.all_trigger_kinds.cache_clear()

    def reached(name: str) -> None:
        if name == "after_settle":
            with Path(order["settled"]).open("a", encoding="utf-8") as file:
                file.write("".join(f"{key}\n" for key in box.settled))
        if name == order["point"]:
            os._exit(EXIT_CODE)

    points.hook = reached
    held = sources.claim()
    assert held is not None
    sources.look(held)


def raise_child(order: dict[str, Any]) -> int:
    """Fork, wait, and report."""
    child = os.fork()
    if child == 0:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the answers' pipe is not for logs
        live(order)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    """Load everything, then raise children until nobody asks any more."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from automation.steps import all_kinds
    from automation.triggers import all_trigger_kinds

    all_kinds(), all_trigger_kinds()
    for line in sys.stdin:
        sys.stdout.write(f"{raise_child(json.loads(line))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
