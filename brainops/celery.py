"""The Celery app. It rings workers; what they do is decided by the database (`automation.runtime`)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")

app = Celery("brainops")
app.config_from_object("django.conf:settings", namespace="CELERY")
# a worker process is a Runtime: it claims and executes runs, Celery brings it the bells
app.steps["worker"].add("automation.runtime.bootstep:RuntimeStep")
app.autodiscover_tasks()
