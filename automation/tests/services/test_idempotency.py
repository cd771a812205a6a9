"""Idempotency keys under fire: many at once, one is done."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from automation.models import IdempotencyKey
from automation.services.idempotency import Answer, Request, digest_of, forget_old, once
from brainops.accounts.models import Workspace
from brainops.core import clock
from brainops.core.errors import Conflict


def request(workspace: Workspace, *, key: str = "k", caller: str = "user:1", body: Any = None) -> Request:
    return Request(key, workspace.id, caller, digest_of("POST", "/workflows", body))


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return Workspace.objects.create(name="Team", slug="team")


def test_of_many_requests_with_one_key_one_is_done_and_all_get_its_answer(workspace: Workspace):
    done: list[int] = []
    answers: list[Answer] = []
    start = threading.Barrier(8)

    def work() -> Answer:
        done.append(1)
        time.sleep(0.05)
        return Answer(202, {"id": str(uuid.uuid4())}, {"Location": "/runs/x"})

    def call() -> None:
        start.wait()
        answers.append(once(request(workspace), work))
        connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(done) == 1
    assert len({(answer.status, answer.body["id"], answer.headers["Location"]) for answer in answers}) == 1
    assert sorted(answer.is_replay for answer in answers) == [False, *[True] * 7]


def test_a_request_that_fails_leaves_its_key_to_the_next_one(workspace: Workspace):
    def fail() -> Answer:
        raise Conflict("not now")

    with pytest.raises(Conflict):
        once(request(workspace), fail)

    assert once(request(workspace), lambda: Answer(201, {})).is_replay is False


def test_another_caller_has_other_keys(workspace: Workspace):
    once(request(workspace), lambda: Answer(201, {"n": 1}))

    answer = once(request(workspace, caller="user:2"), lambda: Answer(201, {"n": 2}))

    assert (answer.body, answer.is_replay) == ({"n": 2}, False)


def test_the_order_of_a_bodys_fields_does_not_make_another_request(workspace: Workspace):
    once(request(workspace, body={"a": 1, "b": 2}), lambda: Answer(201, {}))

    assert once(request(workspace, body={"b": 2, "a": 1}), lambda: Answer(201, {})).is_replay is True


def test_a_key_is_free_again_after_a_day(workspace: Workspace):
    once(request(workspace), lambda: Answer(201, {"n": 1}))
    IdempotencyKey.objects.update(created_at=clock.now() - timedelta(hours=25))

    answer = once(request(workspace, body="another"), lambda: Answer(201, {"n": 2}))

    assert (answer.body, answer.is_replay) == ({"n": 2}, False)


def test_old_keys_are_forgotten(workspace: Workspace):
    for key in ("old", "new"):
        once(request(workspace, key=key), lambda: Answer(201, {}))
    IdempotencyKey.objects.filter(key="old").update(created_at=clock.now() - timedelta(hours=25))

    assert forget_old() == 1
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]
