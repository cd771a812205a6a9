"""The Celery app. It rings workers; what they do is decided by the database (`automation.runtime`)."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery has no types here
def _keep_our_logging(**_: Any) -> None:
    """Celery leaves logging alone when somebody listens: Django has set it up from the settings."""


app = Celery("brainops")
app.config_from_object("django.conf:settings", namespace="CELERY")
# a worker process is a Runtime: it claims and executes runs, Celery brings it the bells
app.steps["worker"].add("automation.runtime.bootstep:RuntimeStep")
app.autodiscover_tasks()
