"""Waiting for a result: answered when the run ends, 202 when it takes longer, never more waiters than allowed."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, connections

from automation.models import Run
from automation.services import waiting
from automation.services.waiting import WaitingRoom
from automation.tests.api.conftest import HELLO, Api, make_person, make_workspace

SLOW = {"schema": 1, "steps": [{"id": "nap", "uses": "delay", "with": {"for": "30s"}}]}
END = """
with r as (update automation_run set status = 50, finished_at = now(), finishes = 1 where uid = %s returning id)
update automation_rundata d set output = '"done"' from r where d.run_id = r.id
"""


@pytest.fixture
def owner(transactional_db: None) -> Api:
    return make_person(make_workspace())


def ends_by_itself(uid: Any, *, after_seconds: float) -> threading.Thread:
    """End a run from another connection, as a worker would."""

    def end() -> None:
        time.sleep(after_seconds)
        with connection.cursor() as cursor:
            cursor.execute(END, (uid,))
        connections.close_all()

    thread = threading.Thread(target=end)
    thread.start()
    return thread


def test_a_run_that_ends_in_time_is_the_answer(owner: Api, waiting_room: WaitingRoom, runtime: Any):
    id_ = owner.make(definition=HELLO)["id"]

    response = owner.post(f"/workflows/{id_}/execute?wait=20", {"inputs": {"name": "Ada"}})

    body = response.json()
    assert (response.status_code, body["status"], body["output"]) == (200, "succeeded", "Hello Ada")
    assert [(step["path"], step["status"]) for step in body["steps"]] == [
        ("greeting", "succeeded"),
        ("say", "succeeded"),
    ]
    assert [line["message"] for line in body["logs"] if line["path"]] == ["Hello Ada"]
    assert body["mode"] == "synchronous"


def test_a_run_that_takes_longer_is_answered_with_its_address(owner: Api, waiting_room: WaitingRoom):
    id_ = owner.make(definition=SLOW)["id"]

    started = time.monotonic()
    response = owner.post(f"/workflows/{id_}/execute?wait=0.2")

    assert (response.status_code, response.json()["status"]) == (202, "queued")
    assert 0.2 <= time.monotonic() - started < 2
    assert response.headers["Location"] == f"/api/v1/automation/runs/{Run.objects.get().uid}"


def test_a_repeated_request_waits_for_the_run_of_the_first_one(owner: Api, waiting_room: WaitingRoom):
    id_ = owner.make(definition=SLOW)["id"]
    first = owner.post(f"/workflows/{id_}/execute", idempotency_key="k").json()
    thread = ends_by_itself(first["id"], after_seconds=0.2)

    again = owner.post(f"/workflows/{id_}/execute?wait=10", idempotency_key="k")

    thread.join()
    assert (again.status_code, again.json()["id"], again.json()["output"]) == (200, first["id"], "done")
    assert again.headers["Brainops-Duplicate"] == "true"


def test_nobody_waits_beyond_the_places_there_are(owner: Api):
    owner.post(f"/workflows/{owner.make()['id']}/execute")
    run_id = Run.objects.get().id
    room = WaitingRoom(places=1)
    holder = threading.Thread(target=room.wait, args=(run_id,), kwargs={"seconds": 5})
    holder.start()
    time.sleep(0.1)

    started = time.monotonic()
    assert room.wait(run_id, seconds=5) is None
    assert time.monotonic() - started < 0.5
    room.close()
    holder.join()


def test_one_thread_looks_for_all_who_wait(owner: Api):
    id_ = owner.make()["id"]
    for _ in range(20):
        owner.post(f"/workflows/{id_}/execute")
    room = WaitingRoom(places=50)
    found: list[Any] = []
    waiters = [
        threading.Thread(target=lambda run=run: found.append(room.wait(run.id, seconds=10)))
        for run in Run.objects.all()
    ]
    before = threading.active_count()
    for waiter in waiters:
        waiter.start()
    watchers = threading.active_count() - before - len(waiters)

    for run in Run.objects.all():
        with connection.cursor() as cursor:
            cursor.execute(END, (run.uid,))
    for waiter in waiters:
        waiter.join()
    room.close()

    assert watchers == 1
    assert [ended.status for ended in found] == [50] * 20


def test_who_wants_the_response_gets_it_before_the_run_ends(owner: Api):
    owner.post(f"/workflows/{owner.make()['id']}/execute")
    run = Run.objects.get()
    room = WaitingRoom(places=5)
    with connection.cursor() as cursor:
        cursor.execute("update automation_rundata set response = '{\"status\": 201}' where run_id = %s", (run.id,))

    answered = room.wait(run.id, seconds=5, wants_response=True)
    ended = room.wait(run.id, seconds=0.2)
    room.close()

    assert (answered.status, answered.response) == (10, {"status": 201})
    assert ended is None


def test_a_room_without_waiters_gives_its_thread_and_connection_back(owner: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waiting, "IDLE_SECONDS", 0.05)
    owner.post(f"/workflows/{owner.make()['id']}/execute")
    room = WaitingRoom(places=5)
    room.wait(Run.objects.get().id, seconds=0.05)

    time.sleep(0.3)

    assert room._thread is None
    assert room.wait(Run.objects.get().id, seconds=0.05) is None  # and it can be used again
    room.close()
