"""Bare Celery with the product's own settings and a task that does nothing."""

from __future__ import annotations

import os
import time

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
app = Celery("noop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = app.conf.task_default_exchange = app.conf.task_default_routing_key = "benchmark.noop"


@app.task(ignore_result=True)
def noop(mark: str = "") -> None:
    """Do nothing; a marked message leaves the time it was executed at."""
    if mark:
        with app.connection_for_write() as broker, broker.channel() as channel:
            channel.client.set(f"benchmark.noop.{mark}", time.time(), ex=600)
