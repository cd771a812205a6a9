"""The consumer process: listens to streams and whatever else comes in by itself. A line of the Procfile."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from automation.runtime.consumer import Consumer
from brainops.core import tracing


class Command(BaseCommand):
    help = "Listen to what triggers listen to, until SIGTERM. Several of it double nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        tracing.start()
        consumer = Consumer()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: consumer.stop())
        consumer.run(drain_seconds=settings.BRAINOPS_DRAIN_SECONDS)
        tracing.stop()
