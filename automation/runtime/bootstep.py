"""The Celery worker's bootstep: a worker process is a Runtime, and Celery brings it the bells.

Celery's warm shutdown (SIGTERM) stops the Runtime warmly too.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from django.conf import settings

from automation.runtime.process import Runtime
from brainops.core import shared_metrics, tracing


class RuntimeStep(bootsteps.StartStopStep):
    """Starts the Runtime with the worker and stops it before the worker's pool."""

    requires = ("celery.worker.components:Pool",)
    current: Runtime | None = None

    def start(self, parent: Any) -> None:
        """Start claiming."""
        tracing.start()
        RuntimeStep.current = Runtime()
        RuntimeStep.current.start()

    def stop(self, parent: Any) -> None:
        """Stop warmly."""
        if RuntimeStep.current is not None:
            RuntimeStep.current.stop(settings.BRAINOPS_DRAIN_SECONDS)
            RuntimeStep.current = None
            shared_metrics.try_flush()
            tracing.stop()


def runtime() -> Runtime | None:
    """The Runtime of this process; None outside of a worker."""
    return RuntimeStep.current
