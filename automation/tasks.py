"""What Celery carries: bells. They name no run, may get lost, and may arrive twice."""

from __future__ import annotations

from celery import shared_task

from automation.runtime.bootstep import runtime


@shared_task(ignore_result=True)
def wake() -> None:
    """Look for ready runs in this worker process."""
    if (process := runtime()) is not None:
        process.wake()


@shared_task(ignore_result=True)
def dispatch() -> None:
    """Tell listeners of events, in this worker process; runs may be ready, too."""
    if (process := runtime()) is not None:
        process.wake()
        process.dispatcher.call()


@shared_task(ignore_result=True)
def tick() -> None:
    """Do the periodic work now, if it is anybody's turn. celery-beat sends this; every worker ticks without it too."""
    if (process := runtime()) is not None:
        process.pulse.kick()
