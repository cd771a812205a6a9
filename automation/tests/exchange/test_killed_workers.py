"""Processes that are killed over a transfer, or work on the same one: one result, and nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.db import connection, connections

from automation.models import Transfer, TransferItem, Workflow, WorkflowVersion
from automation.services.transfers_due import work_on_next
from automation.store import transfers as store
from automation.tests.exchange.conftest import (
    Api,
    actions,
    file_of,
    import_,
    make_person,
    make_workspace,
    say,
    send,
    workflow,
)
from brainops.audit.models import AuditEntry

ROOT = Path(__file__).resolve().parents[3]
WORK = "import django; django.setup(); from automation.services.transfers_due import work_on_next; work_on_next()"


@pytest.fixture
def person(transactional_db: None) -> Api:
    return make_person(make_workspace())


def address() -> str:
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{base}/{connection.settings_dict['NAME']}"


def worker() -> subprocess.Popen[bytes]:
    """A process that takes one transfer and works on it."""
    environment = {**os.environ, "DATABASE_URL": address(), "DJANGO_SETTINGS_MODULE": "brainops.settings"}
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", WORK], cwd=ROOT, env=environment)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_over(process: subprocess.Popen[bytes], is_there: Callable[[], bool]) -> None:
    """Kill a process without a chance to clean up, once it has got to a place; its hold has run out then."""
    try:
        until(is_there)
    finally:
        process.kill()
        process.wait()
    until(lambda: not busy_backends())
    Transfer.objects.update(held_until="2020-01-01T00:00:00Z")


def busy_backends() -> bool:
    """The killed process' statement still waits for our lock, until PostgreSQL notices that nobody listens."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
            "and pid <> pg_backend_pid() and wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchall())


@pytest.mark.processes
def test_an_import_goes_on_where_its_process_was_killed(person: Api):
    id_ = person.make(name="W70", definition=say("old"))["id"]
    told = [workflow(f"W{number}", say("new")) for number in range(120)]
    url = send(person, file_of(*told), async_=True).json()["url"].removeprefix("/api/v1/automation")
    holder = psycopg2.connect(address())
    holder.cursor().execute("select 1 from automation_workflow where id = %s for update", (id_,))

    process = worker()  # it writes the first fifty and then waits for that row
    kill_over(process, lambda: TransferItem.objects.count() == 50)
    holder.rollback()
    half = Workflow.objects.count()
    assert work_on_next() is True

    shown = person.get(url).json()
    assert half == 51
    assert (shown["state"], shown["progress"]) == ("done", {"total": 120, "done": 120})
    counts = shown["counts"]["counts"]
    assert (counts["create"], counts["update"], counts["unchanged"]) == (119, 1, 0)
    assert (Workflow.objects.count(), WorkflowVersion.objects.count()) == (120, 121)
    assert AuditEntry.objects.filter(action="workflow.import").count() == 120
    holder.close()


@pytest.mark.processes
def test_an_export_goes_on_where_its_process_was_killed(person: Api):
    import_(person, file_of(*(workflow(f"W{number}") for number in range(150))))
    id_ = person.post("/workflows/export", {"async": True, "format": "zip"}).json()["id"]
    holder = psycopg2.connect(address())
    holder.cursor().execute("insert into automation_transferchunk (transfer_id, seq, data) values (%s, 1, '')", (id_,))

    process = worker()  # it writes the first portion and then waits for that row
    kill_over(process, lambda: Transfer.objects.get(id=id_).done == 100)
    holder.rollback()
    assert work_on_next() is True

    shown = person.get(f"/exports/{id_}").json()
    file = b"".join(person.get(f"/exports/{id_}/download").streaming_content)
    assert (shown["state"], shown["counts"]["workflows"], Transfer.objects.get(id=id_).fence) == ("done", 150, 2)
    assert actions(import_(person, file, kind="application/zip")) == ["unchanged"] * 150
    holder.close()


def test_a_process_whose_time_ran_out_writes_nothing_more(person: Api):
    send(person, file_of(workflow()), async_=True)
    with connection.cursor() as cursor:
        id_, fence = store.take(cursor, hold_seconds=0) or (None, 0)
        assert store.take(cursor, hold_seconds=60) == (id_, fence + 1)

        assert store.hold(cursor, id_, fence, hold_seconds=60) is False
        assert store.hold(cursor, id_, fence + 1, hold_seconds=60) is True
        assert store.take(cursor, hold_seconds=60) is None


def test_a_transfer_that_kills_everybody_is_given_up(person: Api):
    url = send(person, file_of(workflow()), async_=True).json()["url"].removeprefix("/api/v1/automation")
    Transfer.objects.update(fence=5)

    work_on_next()

    assert person.get(url).json()["error"]["code"] == "gave_up"


def test_the_same_file_twice_at_once_is_imported_once(person: Api):
    file = file_of(*(workflow(f"W{number}", key=f"k{number}") for number in range(60)))
    answers: list[Any] = []

    def send_it() -> None:
        answers.append(send(person, file))
        connections.close_all()

    threads = [threading.Thread(target=send_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [200] * 3
    done = sorted((answer.json()["counts"]["create"], answer.json()["counts"]["unchanged"]) for answer in answers)
    assert done == [(0, 60), (0, 60), (60, 0)]
    assert (Workflow.objects.count(), WorkflowVersion.objects.count()) == (60, 60)


def test_an_import_waits_for_a_workers_import_of_the_same_workspace(person: Api):
    url = send(person, file_of(workflow("Later")), async_=True).json()["url"].removeprefix("/api/v1/automation")
    holder = psycopg2.connect(address())
    cursor = holder.cursor()
    assert store.lock_imports(cursor, person.workspace.id)

    assert work_on_next() is True  # it is not its turn: put back, and no try of it
    put_back = Transfer.objects.get()
    assert (put_back.state, put_back.fence, work_on_next()) == ("queued", 0, False)
    holder.close()
    Transfer.objects.update(held_until=None)
    assert work_on_next() is True

    assert person.get(url).json()["state"] == "done"
