"""The Celery worker's bootstep: a worker process is a Runtime, and Celery brings it the bells.

Celery's warm shutdown (SIGTERM) stops the Runtime warmly too.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from django.conf import settings

from automation.runtime.process import Runtime

_runtime: Runtime | None = None


class RuntimeStep(bootsteps.StartStopStep):
    """Starts the Runtime with the worker and stops it before the worker's pool."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        """Start claiming."""
        global _runtime
        _runtime = Runtime()
        _runtime.start()

    def stop(self, parent: Any) -> None:
        """Stop warmly."""
        global _runtime
        if _runtime is not None:
            _runtime.stop(settings.BRAINOPS_DRAIN_SECONDS)
            _runtime = None


def runtime() -> Runtime | None:
    """The Runtime of this process; None outside of a worker."""
    return _runtime
