"""What other commands learn about a running supervisor."""

import os
import signal
import subprocess
import sys
import time

import pytest

from brainops.stack import commands
from brainops.stack.leftovers import end_leftovers
from brainops.stack.processes import command_line, identity, is_alive
from brainops.stack.state import Busy, ProcessState, RunState, alone, is_held, load_state, new_state


@pytest.fixture
def stranger():
    """A process that is nobody's child of ours to watch."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_a_saved_state_is_read_back_whole(place):
    state = RunState(
        state="running",
        pid=1,
        identity="boot/1",
        addresses={"admin": "http://127.0.0.1:8000/admin/"},
        processes=[ProcessState("web", "running", pid=2, identity="boot/2", started_at=3.0, restarts=4)],
        sample={"run": "x"},
    )

    state.save(place.state)

    assert load_state(place.state) == state


@pytest.mark.parametrize("text", ["", "{", "[]", '{"processes": [{"no": 1}]}', '{"state": "running"}'])
def test_a_damaged_state_is_none(place, text):
    place.state.write_text(text, encoding="utf-8")

    assert load_state(place.state) is None


def test_only_one_holds_the_folder(place):
    with alone(place):
        assert is_held(place)
        with pytest.raises(Busy, match=f"^Another bin/brainops is using {place.data}.$"), alone(place):
            pass

    assert not is_held(place)


def test_the_lock_goes_with_a_killed_holder(place):
    code = f"""
import sys; sys.path.insert(0, {os.getcwd()!r})
from pathlib import Path
from brainops.stack.place import Place
from brainops.stack.state import alone
import time
with alone(Place(Path({str(place.data)!r}))):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert is_held(place)

        holder.kill()
        holder.wait()

    assert not is_held(place)


def test_a_process_is_known_by_more_than_its_pid(stranger):
    first = identity(stranger.pid)

    assert first != ""
    assert first == identity(stranger.pid)
    assert first != identity(os.getpid())
    assert "time.sleep(60)" in command_line(stranger.pid)


def test_a_process_that_is_gone_has_no_identity(stranger):
    stranger.kill()
    stranger.wait()

    assert (identity(stranger.pid), command_line(stranger.pid), is_alive(stranger.pid)) == ("", "", False)


def test_leftovers_of_a_killed_supervisor_are_ended(place, stranger):
    state = new_state()
    state.processes = [ProcessState("worker", "running", pid=stranger.pid, identity=identity(stranger.pid))]
    state.save(place.state)
    said = []

    # Ours to reap: without it the dead leftover stays a zombie, which has no identity either.
    assert end_leftovers(place, said.append) == ["worker"]

    assert said == ["Ended what an earlier start left running: worker."]
    assert stranger.wait() == -signal.SIGTERM


def test_a_stranger_with_the_pid_of_a_leftover_is_not_touched(place, stranger):
    state = new_state()
    state.processes = [ProcessState("worker", "running", pid=stranger.pid, identity=f"{identity(stranger.pid)}0")]
    state.save(place.state)

    assert end_leftovers(place, lambda _text: None) == []

    time.sleep(0.1)
    assert stranger.poll() is None


def test_status_of_a_killed_supervisor_says_what_is_left(place, stranger, capsys):
    state = RunState(state="running", pid=999_999_999, identity="gone")
    state.processes = [
        ProcessState("web", "running", pid=stranger.pid, identity=identity(stranger.pid)),
        ProcessState("beat", "running", pid=999_999_998, identity="gone"),
    ]
    state.save(place.state)

    assert commands.status(place, as_json=False) == commands.NOT_RUNNING

    assert capsys.readouterr().out.splitlines() == [
        f"BrainOps is stopped. Data and logs: {place.data}",
        f"  web        left over (pid {stranger.pid})",
        "  beat       stopped (pid 999999998)",
    ]


def test_reset_asks_first_and_deletes_only_what_is_ours(place, capsys):
    (place.data / "letters").mkdir()
    place.ports.write_text("{}", encoding="utf-8")

    assert commands.reset(place, is_certain=False) == 1
    assert place.ports.exists()
    assert commands.reset(place, is_certain=True) == 0

    assert [path.name for path in place.data.iterdir()] == ["letters"]
    assert "Do it with: bin/brainops reset --yes" in capsys.readouterr().out
