"""The test servers, as a test run of another project meets them."""

import json
import os
import subprocess
import sys

import pytest

from brainops.stack.place import CHECKOUT
from brainops.stack.processes import is_alive

NOTE = """
import json, os, pytest
from pathlib import Path

@pytest.mark.parametrize("number", range(8))
def test_note(number, tmp_path_factory):
    names = ("DATABASE_URL", "REDIS_URL", "BRAINOPS_REDIS_PREFIX", "BRAINOPS_DEBUG")
    note = {name: os.environ.get(name) for name in names} | {"worker": os.environ.get("PYTEST_XDIST_WORKER", "")}
    with open(Path(__file__).with_name("notes"), "a") as file:
        file.write(json.dumps(note) + "\\n")
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "test_note.py").write_text(NOTE, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")

    def run(*arguments, **more):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TEST_"))}
        plugins = ["-p", "brainops.stack.pytest_plugin", "-p", "no:django", "-p", "no:valkey", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", "-q", *plugins, *arguments]
        environment = {**kept, "PYTHONPATH": str(CHECKOUT), **more}
        answer = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        notes = tmp_path / "notes"
        lines = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
        return answer, [json.loads(line) for line in lines]

    return run


def test_parallel_workers_share_the_servers_and_nothing_in_redis(project):
    answer, notes = project("-n", "2")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert len({note["DATABASE_URL"] for note in notes}) == 1
    places = {note["worker"]: (note["REDIS_URL"][-2:], note["BRAINOPS_REDIS_PREFIX"][-4:]) for note in notes}
    assert places == {"gw0": ("/1", "-gw0"), "gw1": ("/2", "-gw1")}


def test_named_servers_are_used_and_none_is_started(project):
    named = {"TEST_DATABASE_URL": "postgresql://named/x", "TEST_REDIS_URL": "redis://named/5"}

    _, notes = project(**named)

    assert (notes[0]["DATABASE_URL"], notes[0]["REDIS_URL"]) == ("postgresql://named/x", "redis://named/5")


def test_the_callers_own_settings_do_not_leak_into_tests(project):
    _, notes = project(BRAINOPS_DEBUG="1", DATABASE_URL="postgresql://production/x")

    assert notes[0]["BRAINOPS_DEBUG"] is None
    assert "production" not in notes[0]["DATABASE_URL"]


def test_a_named_folder_without_programs_falls_through_to_the_wheels(project):
    answer, notes = project(BRAINOPS_PG_BIN="/nowhere")

    assert answer.returncode == 0, answer.stderr
    assert len(notes) == 8


@pytest.mark.skipif(sys.platform != "linux", reason="the children are read from /proc")
def test_the_servers_end_with_the_run(project, tmp_path):
    (tmp_path / "conftest.py").write_text(
        "import os\n"
        "def pytest_unconfigure(config):\n"
        "    from pathlib import Path\n"
        "    children = Path(f'/proc/{os.getpid()}/task/{os.getpid()}/children').read_text()\n"
        "    Path(__file__).with_name('children').write_text(children)\n",
        encoding="utf-8",
    )

    project()

    children = [int(pid) for pid in (tmp_path / "children").read_text(encoding="utf-8").split()]
    assert len(children) == 2
    assert [is_alive(pid) for pid in children] == [False, False]
