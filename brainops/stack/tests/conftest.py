"""Real child processes of a few lines, for the supervisor's tests."""

import sys
import textwrap

import pytest

from brainops.stack.children import Service
from brainops.stack.place import Place
from brainops.stack.supervisor import Supervisor


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path / "data")
    place.create()
    return place


@pytest.fixture
def program(place):
    """Make a service from Python lines; `journal` in them appends a word to the shared journal."""

    def make(name, lines, **options):
        head = f"""
            import os, signal, sys, time
            def journal(word):
                with open({str(place.data / "journal")!r}, "a") as file:
                    file.write(word + "\\n")
        """
        script = place.data / f"{name}.py"
        script.write_text(textwrap.dedent(head) + textwrap.dedent(lines), encoding="utf-8")
        command = [sys.executable, "-S", str(script)]
        return Service(name=name, command=command, environment={}, log=place.log(name), **options)

    return make


@pytest.fixture
def journal(place):
    """The words the programs have written so far."""

    def read():
        path = place.data / "journal"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    return read


@pytest.fixture
def said():
    """What the supervisor has told the person."""
    return []


@pytest.fixture
def supervisor(said):
    supervisor = Supervisor(say=said.append, changed=lambda _processes: None)
    yield supervisor
    supervisor.request_stop()
    supervisor.request_stop()
    supervisor.stop_all()


# Answers SIGTERM by writing its name and going; says "<name>-up" once it can.
POLITE = """
    def leave(*_):
        journal("{name}-gone")
        sys.exit(0)
    signal.signal(signal.SIGTERM, leave)
    journal("{name}-up")
    while True:
        time.sleep(0.05)
"""


@pytest.fixture
def polite(program):
    """A service that stops when it is asked to."""

    def make(name, **options):
        return program(name, POLITE.replace("{name}", name), **options)

    return make
