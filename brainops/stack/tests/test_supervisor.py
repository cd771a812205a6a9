"""The supervisor, with real processes."""

import os
import signal
import threading
import time

import pytest

from brainops.stack.children import wait_until
from brainops.stack.processes import identity
from brainops.stack.supervisor import GaveUp


def eventually(is_true, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def watch_until(supervisor, is_done):
    """Run the supervisor's loop until `is_done()`; the loop itself needs the main thread."""

    def each_round():
        if is_done():
            supervisor.request_stop()

    supervisor.watch(each_round)


def test_processes_stop_in_the_given_order(supervisor, polite, journal):
    for name in ("postgres", "web", "worker.1", "worker.2", "beat"):
        supervisor.start(polite(name))
    eventually(lambda: len(journal()) == 5)

    supervisor.stop_all(["beat", "web", "worker"])

    gone = journal()[5:]
    assert gone[:2] == ["beat-gone", "web-gone"]
    assert sorted(gone[2:4]) == ["worker.1-gone", "worker.2-gone"]
    assert gone[4:] == ["postgres-gone"]


def test_a_group_is_asked_to_stop_at_once(supervisor, program, journal):
    lines = """
        def leave(*_):
            time.sleep(0.5)
            journal("gone")
            sys.exit(0)
        signal.signal(signal.SIGTERM, leave)
        journal("up")
        while True: time.sleep(0.05)
    """
    for number in (1, 2, 3, 4):
        supervisor.start(program(f"worker.{number}", lines))
    eventually(lambda: journal() == ["up"] * 4)
    started = time.monotonic()

    supervisor.stop_all(["worker"])

    assert journal() == ["up"] * 4 + ["gone"] * 4
    assert time.monotonic() - started < 1.5  # one after the other would take two seconds


def test_a_stop_reaches_the_process_and_not_its_children(supervisor, program, journal):
    lines = """
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, lambda *_: journal("child-was-hit"))
            journal("child-up")
            while os.getppid() != 1 and not os.path.exists(sys.argv[0] + ".done"): time.sleep(0.02)
            os._exit(0)
        def leave(*_):
            time.sleep(0.2)
            open(sys.argv[0] + ".done", "w").close()
            os.wait()
            journal("parent-gone")
            sys.exit(0)
        signal.signal(signal.SIGTERM, leave)
        journal("parent-up")
        while True: time.sleep(0.05)
    """
    supervisor.start(program("worker", lines))
    eventually(lambda: len(journal()) == 2)

    supervisor.stop_all()

    assert journal()[2:] == ["parent-gone"]


def test_a_process_that_will_not_stop_is_ended_by_force(supervisor, program, journal, said):
    lines = """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        journal("up")
        while True: time.sleep(0.05)
    """
    child = supervisor.start(program("web", lines, stop_seconds=0.3))
    eventually(lambda: journal() == ["up"])

    supervisor.stop_all()

    assert child.process.returncode == -signal.SIGKILL
    assert said == ["web stopped (code -9)."]


def test_a_second_stop_request_does_not_wait(supervisor, program, journal):
    lines = """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        journal("up")
        while True: time.sleep(0.05)
    """
    supervisor.start(program("web", lines, stop_seconds=60))
    eventually(lambda: journal() == ["up"])
    supervisor.request_stop()
    supervisor.request_stop()
    started = time.monotonic()

    supervisor.stop_all()

    assert time.monotonic() - started < 5


def test_a_process_that_dies_is_started_again(supervisor, polite, journal, said):
    child = supervisor.start(polite("web"))
    eventually(lambda: journal() == ["web-up"])

    child.process.kill()
    watch_until(supervisor, lambda: len(journal()) == 2)

    assert said == ["web ended with code -9; starting it again in 0.5 s."]
    [process] = supervisor.describe()
    assert (process.name, process.state, process.restarts) == ("web", "running", 1)
    assert process.pid != child.pid
    assert process.identity == identity(process.pid)


def test_a_process_that_dies_again_and_again_ends_the_watch(supervisor, program, monkeypatch):
    monkeypatch.setattr("brainops.stack.restarts.DELAYS_SECONDS", (0.01, 0.01))
    service = program("web", "print('the port is taken', flush=True)\nsys.exit(7)")
    supervisor.start(service)

    with pytest.raises(GaveUp) as reason:
        supervisor.watch(lambda: None)

    assert str(reason.value) == (
        f"web ended 3 times within a minute (last code 7). The end of {service.log}:\n"
        "the port is taken\nthe port is taken\nthe port is taken"
    )


def test_what_a_dead_process_left_behind_is_ended_before_the_restart(supervisor, program, journal):
    lines = """
        if os.fork() == 0:
            journal(f"{os.getpid()}")
            time.sleep(600)
        time.sleep(600)
    """
    child = supervisor.start(program("web", lines))
    eventually(lambda: len(journal()) == 1)
    orphan = int(journal()[0])

    child.process.kill()
    eventually(lambda: not child.is_alive())
    supervisor.check()

    eventually(lambda: identity(orphan) == "")


def test_a_signal_ends_the_watch_at_once(supervisor, polite, journal):
    supervisor.start(polite("web"))
    eventually(lambda: journal() == ["web-up"])

    with supervisor.signals():
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        supervisor.watch(lambda: None)
        supervisor.stop_all()

    assert journal() == ["web-up", "web-gone"]


def test_waiting_for_a_process_that_dies_shows_its_last_words(supervisor, program):
    child = supervisor.start(program("web", "print('no such module', flush=True)\nsys.exit(3)"))

    with pytest.raises(Exception, match=r"web ended with code 3\. The end of .*web\.log:\nno such module"):
        wait_until(lambda: False, child, seconds=10)
