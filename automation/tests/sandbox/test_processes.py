"""The processes behind a call: locked in, killed in time, replaced when they die."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from automation.sandbox.pool import Busy, Pool
from automation.sandbox.process import ROOT, CallStopped, CallTooLong, ChildGone
from automation.tests.sandbox.conftest import SMALL

LOOP = replace(SMALL, code="while True:\n    pass", seconds=60.0)
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def group(pid: int) -> list[int]:
    """The living processes of a session, its leader first."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[3] == str(pid) and fields[0] != "Z":
            found.append(int(entry.name))
    return sorted(found)


def soon(condition, seconds: float = 5) -> bool:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Looping:
    """A call that never ends by itself, and the processes it keeps busy."""

    def __init__(self, pool: Pool) -> None:
        pool.run(replace(SMALL, code="1"), seconds=20, is_cancelled=lambda: False)
        self.child = pool._idle[0].pid
        self.stop = threading.Event()
        self._result = ThreadPoolExecutor(1).submit(pool.run, LOOP, seconds=60, is_cancelled=self.stop.is_set)
        assert soon(lambda: len(group(self.child)) == 2)
        time.sleep(0.1)  # the code has begun

    @property
    def interpreter(self) -> int:
        return group(self.child)[1]

    def outcome(self) -> BaseException | None:
        return self._result.exception(timeout=10)


@pytest.fixture
def looping(pool):
    call = Looping(pool)
    yield call
    call.stop.set()
    call.outcome()


@linux
def test_a_child_inherits_neither_environment_nor_files(looping, monkeypatch):
    for pid in group(looping.child):
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        targets = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
        assert {re.sub(r":.*", "", target) for target in targets} <= {"pipe", "socket", "anon_inode", "/dev/null"}
    assert os.getsid(looping.child) == looping.child


@linux
def test_the_interpreter_is_bounded_by_the_kernel_too(looping):
    said = Path(f"/proc/{looping.interpreter}/limits").read_text()
    limits = {line[:26].strip(): line[26:47].strip() for line in said.splitlines()[1:]}

    assert {name: limits[f"Max {name}"] for name in ("cpu time", "address space", "open files", "processes")} == {
        "cpu time": "62",  # 60 + 2
        "address space": str((32 << 20) + (256 << 20)),
        "open files": "16",
        "processes": "0",
    }
    assert (limits["Max file size"], limits["Max core file size"]) == ("0", "0")


@linux
def test_the_locks_a_child_says_it_has_hold(pool, looping):
    stopped = Pool(1)
    stopped.run(replace(SMALL, code="1"), seconds=20, is_cancelled=lambda: False)
    child = stopped._idle[0]
    locks = set(orjson.loads(child.hello)["locks"])
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{child.pid}/status").read_text().splitlines())

    assert {"files", "memory", "privileges"} <= locks
    assert status["NoNewPrivs"] == "1"
    assert ("user" in locks) is (os.geteuid() == 0 and status["Uid"].split()[0] != "0")
    is_apart = os.readlink(f"/proc/{child.pid}/ns/net") != os.readlink("/proc/self/ns/net")
    assert ("network" in locks) is is_apart
    stopped.close()


@linux
def test_a_cancelled_call_ends_at_once_and_leaves_no_process(looping):
    started = time.monotonic()

    looping.stop.set()

    assert isinstance(looping.outcome(), CallStopped)
    assert time.monotonic() - started < 1
    assert soon(lambda: group(looping.child) == [], seconds=1)


@linux
def test_a_call_without_time_ends_and_leaves_no_process(pool):
    pool.run(replace(SMALL, code="1"), seconds=20, is_cancelled=lambda: False)
    child = pool._idle[0].pid

    with pytest.raises(CallTooLong):
        pool.run(LOOP, seconds=0.3, is_cancelled=lambda: False)

    assert soon(lambda: group(child) == [], seconds=1)


@linux
def test_an_interpreter_that_crashes_fails_its_call_and_no_other(pool, looping):
    os.kill(looping.interpreter, signal.SIGABRT)

    assert looping.outcome() is None
    assert looping._result.result().error["type"] == "crashed"
    assert pool.run(replace(SMALL, code="1 + 1"), seconds=20, is_cancelled=lambda: False).output == 2


@linux
def test_a_child_that_dies_fails_its_call_and_no_other(pool, looping):
    os.kill(looping.child, signal.SIGKILL)

    assert isinstance(looping.outcome(), ChildGone)
    assert str(looping.outcome()) == "ended by signal 9"
    assert soon(lambda: group(looping.child) == [], seconds=1)
    assert pool.run(replace(SMALL, code="1 + 1"), seconds=20, is_cancelled=lambda: False).output == 2


def test_a_child_that_died_idle_is_replaced_without_a_failure(pool, run):
    run("1")
    os.kill(pool._idle[0].pid, signal.SIGKILL)
    time.sleep(0.1)

    assert run("1 + 1").output == 2


def test_calls_at_once_get_their_own_answers(pool, run):
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: run("inputs['n'] * 2", {"n": n}).output, range(40)))

    assert answers == [2 * n for n in range(40)]
    assert len(pool._idle) <= pool.size


def test_a_call_that_finds_every_child_at_work_waits_and_gives_up_in_time():
    pool = Pool(1)
    stop = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        busy = thread.submit(pool.run, LOOP, seconds=60, is_cancelled=stop.is_set)
        assert soon(lambda: pool._free._value == 0)

        with pytest.raises(Busy):
            pool.run(SMALL, seconds=0.2, is_cancelled=lambda: False)

        stop.set()
        assert isinstance(busy.exception(), CallStopped)


@linux
def test_no_code_outlives_a_worker_that_is_killed():
    keeper = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from automation.sandbox.pool import Pool
from automation.tests.sandbox.conftest import SMALL
pool = Pool(1)
pool.run(replace(SMALL, code="1"), seconds=20, is_cancelled=lambda: False)
print(pool._idle[0].pid, flush=True)
pool.run(replace(SMALL, code="while True: pass", seconds=60.0), seconds=60, is_cancelled=lambda: False)
"""
    worker = subprocess.Popen([sys.executable, "-c", keeper, str(ROOT)], stdout=subprocess.PIPE, text=True)
    child = int(worker.stdout.readline())
    assert soon(lambda: len(group(child)) == 2)

    worker.kill()
    worker.wait()
    worker.stdout.close()

    assert soon(lambda: group(child) == [], seconds=2)
