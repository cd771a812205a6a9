"""Names under advisory locks: a restart takes over at once, a worker that only lost its connection is left alone."""

from __future__ import annotations

import os
import subprocess

import pytest
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Run, Worker, WorkerState
from automation.runtime.heartbeat import Heartbeat
from automation.runtime.slots import Slots
from automation.store.connection import Connection
from automation.store.recover import recover_runs
from automation.store.workers import is_gone, take_name

NOBODY = 0  # slots


@pytest.fixture
def dead_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def heartbeat(transactional_db):
    beats = Heartbeat(
        Slots(NOBODY, on_free=lambda: None),
        every_seconds=0.1,
        dead_seconds=2.0,
        release="",
        on_beat=lambda _beat: None,
        on_lost=lambda: None,
    )
    yield beats
    beats._connection.close()


def test_a_restarted_worker_declares_its_dead_predecessor_of_the_same_name_dead(store, claim, new_worker, dead_pid):
    first, (run,) = claim()
    Worker.objects.filter(id=first).update(name="host/7", pid=dead_pid)

    new_worker(name="host/7", pid=os.getpid())

    assert Worker.objects.get(id=first).state == WorkerState.DEAD
    assert recover_runs(store) == {run.id: RunStatus.QUEUED}


def test_a_namesake_that_still_lives_is_not_declared_dead(store, claim, new_worker):
    first, (run,) = claim()
    Worker.objects.filter(id=first).update(name="host/7", pid=os.getppid())

    new_worker(name="host/7", pid=os.getpid())

    assert Worker.objects.get(id=first).state == WorkerState.LIVE
    assert Run.objects.get(id=run.id).status == RunStatus.RUNNING


def test_a_starting_worker_declares_a_dead_neighbour_dead_whose_name_nobody_holds(store, claim, new_worker, dead_pid):
    first, (run,) = claim()
    Worker.objects.filter(id=first).update(name="host/7", pid=dead_pid)

    new_worker(name="host/0", pid=os.getpid())

    assert Worker.objects.get(id=first).state == WorkerState.DEAD
    assert recover_runs(store) == {run.id: RunStatus.QUEUED}


def test_a_neighbour_whose_name_is_held_lives_wherever_its_process_is(store, claim, new_worker, dead_pid):
    """Another container may share the host's name and not its processes."""
    first, _ = claim()
    elsewhere = Connection()
    name = take_name(elsewhere, host="host")
    Worker.objects.filter(id=first).update(name=name, pid=dead_pid)

    new_worker(name="host/9", pid=os.getpid())

    assert Worker.objects.get(id=first).state == WorkerState.LIVE
    elsewhere.close()


def test_a_dead_process_that_nobody_waited_for_is_gone():
    zombie = subprocess.Popen(["true"], stdout=subprocess.PIPE)
    zombie.stdout.read()  # it closed its output: it has ended, or is about to
    zombie.stdout.close()

    while not is_gone(zombie.pid):
        pass

    zombie.wait()


def holders_of_names() -> set[int]:
    """The server's processes that hold an advisory lock."""
    with connection.cursor() as cursor:
        cursor.execute("select pid from pg_locks where locktype = 'advisory' and granted")
        return {pid for (pid,) in cursor.fetchall()}


def test_a_worker_whose_name_was_taken_meanwhile_takes_another_and_says_so(heartbeat):
    heartbeat._breathe()
    name = heartbeat.name_in_register
    holders = holders_of_names()
    heartbeat._connection.close()  # the lock goes with the connection, as soon as the server has seen that it is gone
    while holders & holders_of_names():
        pass
    heartbeat.name_in_register = ""
    thief = Connection()
    assert take_name(thief, host=name.rpartition("/")[0]) == name

    heartbeat._breathe()

    assert heartbeat.name_in_register != name
    assert Worker.objects.get(id=heartbeat.worker_id).name == heartbeat.name_in_register
    thief.close()
