"""Reading the Procfile."""

import subprocess

import pytest

from brainops.stack.place import CHECKOUT
from brainops.stack.procfile import ProcfileError, parse_procfile, read_procfile, shell_command


def test_lines_become_commands_in_their_order():
    text = '# how it runs\n\nrelease: migrate --now\nweb:  serve --port "${PORT:-8000}" \nworker-1: work\n'

    assert list(parse_procfile(text).items()) == [
        ("release", "migrate --now"),
        ("web", 'serve --port "${PORT:-8000}"'),
        ("worker-1", "work"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("web serve", "Procfile line 1: expected `name: command`, got 'web serve'."),
        ("web: serve\n\nworker:", "Procfile line 3: expected `name: command`, got 'worker:'."),
        ("web: a\nweb: b", "Procfile line 2: process 'web' is defined twice."),
    ],
)
def test_a_line_that_cannot_be_run_is_refused_by_its_number(text, message):
    with pytest.raises(ProcfileError) as refusal:
        parse_procfile(text)

    assert str(refusal.value) == message


def test_our_own_procfile_has_the_five_processes():
    assert list(read_procfile(CHECKOUT / "Procfile")) == ["release", "web", "worker", "beat", "consumer"]


def test_the_shell_expands_variables_and_becomes_the_program():
    process = subprocess.Popen(
        shell_command('python3 -c "import os, sys; print(os.getpid(), sys.argv[1])" "${PORT:-8000}"'),
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PORT": "9000"},
        stdout=subprocess.PIPE,
        text=True,
    )

    answer, _ = process.communicate()

    assert answer.split() == [str(process.pid), "9000"]
