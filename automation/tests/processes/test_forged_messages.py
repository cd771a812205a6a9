"""What somebody with access to Redis puts on the queue: never code, never a run that was not asked for."""

from __future__ import annotations

import base64
import json
import pickle
import uuid
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from automation.engine.status import RunStatus
from automation.models import Run
from tests.live import wait_until

pytestmark = pytest.mark.processes


class Touch:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def envelope(body: bytes, content_type: str, task: str) -> str:
    """A message as Celery's Redis transport writes it (kombu, protocol 2)."""
    queue, tag = settings.CELERY_TASK_DEFAULT_QUEUE, str(uuid.uuid4())
    headers = {
        "lang": "py",
        "task": task,
        "id": tag,
        "root_id": tag,
        "parent_id": None,
        "argsrepr": "",
        "kwargsrepr": "",
    }
    properties = {
        "correlation_id": tag,
        "delivery_mode": 2,
        "delivery_info": {"exchange": queue, "routing_key": queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": tag,
    }
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "binary",
            "content-type": content_type,
            "headers": headers,
            "properties": properties,
        }
    )


def test_a_pickled_message_runs_nothing_and_its_worker_goes_on(make_workflow, accept, workers, tmp_path):
    bell = "automation.tasks.wake"
    mark = tmp_path / "unpickled"
    call = pickle.dumps(((Touch(mark),), {}, {}))
    forged = [
        envelope(call, "application/x-python-serialize", bell),
        envelope(call, "application/json", bell),
        envelope(b'[["x"], {}, {}]', "application/json", "os.system"),
        envelope(b"[[], {}, {}]", "application/json", bell),  # a bell that nobody rang: no run comes of it
    ]
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        for message in forged:
            server.lpush(settings.CELERY_TASK_DEFAULT_QUEUE, message)

    (worker,) = workers.start(1)
    run = accept(make_workflow({"id": "say", "uses": "log", "with": {"message": "hello"}}))

    wait_until(lambda: Run.objects.get(id=run.id).is_final)
    assert RunStatus(Run.objects.get(id=run.id).status) == RunStatus.SUCCEEDED
    assert (worker.poll(), mark.exists(), Run.objects.count()) == (None, False, 1)
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        wait_until(lambda: server.llen(settings.CELERY_TASK_DEFAULT_QUEUE) == 0)
    assert worker.poll() is None
