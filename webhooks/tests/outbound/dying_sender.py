"""A process of its own that sends one delivery and is killed at a named point, as by kill -9."""

from __future__ import annotations

import os
import signal
import sys

import django


def main(point: str) -> None:
    """Claim and send; die at the point."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from automation.engine import points
    from webhooks.services.outbound_sending import send_next

    def hook(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    points.hook = hook
    send_next()


if __name__ == "__main__":
    main(sys.argv[1])
