"""bin/brainops itself: finding a Python, making the environment, installing once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from brainops.stack.place import CHECKOUT

LOCKS = ("requirements.lock", "requirements-embedded.lock", "requirements-dev.lock")


TOOLS = ("dirname", "readlink", "id", "sh")
# Makes an environment in a tenth of a second, and writes down what it was asked to install.
UV = """
case $1 in
venv) for last in "$@"; do :; done; exec "{python}" -m venv --clear --without-pip "$last" ;;
pip) shift; echo "$@" >>"$(dirname "$0")/../installed" ;;
esac
"""


class Launcher:
    """A checkout with the real launcher, locks without packages, and a stack that only says hello."""

    def __init__(self, checkout):
        self.checkout = checkout
        self.venv = checkout / ".venv"

    def run(self, *arguments, program=None, **changes):
        environment = {"PATH": f"{self.checkout}/tools", "HOME": "/", "BRAINOPS_PYTHON": sys.executable, **changes}
        environment = {name: value for name, value in environment.items() if value is not None}
        command = [str(program or self.checkout / "bin/brainops"), *arguments]
        return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)

    def installed(self):
        lines = (self.checkout / "installed").read_text(encoding="utf-8").splitlines()
        return [[Path(word).name for word in line.split() if word.endswith(".lock")] for line in lines]

    def stamp(self):
        return json.loads((self.venv / "brainops.json").read_text(encoding="utf-8"))

    def program(self, folder, name, body):
        path = self.checkout / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(0o755)
        return path


@pytest.fixture
def launcher(tmp_path):
    checkout = tmp_path / "checkout"
    (checkout / "brainops/stack").mkdir(parents=True)
    shutil.copytree(CHECKOUT / "bin", checkout / "bin")
    shutil.copy(Path(__file__).parent.parent / "bootstrap.py", checkout / "brainops/stack")
    for package in ("brainops", "brainops/stack"):
        (checkout / package / "__init__.py").touch()
    (checkout / "brainops/stack/__main__.py").write_text(
        "import os, sys\nprint('hello', *sys.argv[1:], os.getcwd(), sep='|')\n", encoding="utf-8"
    )
    for name in LOCKS:
        (checkout / name).write_text("# nothing\n", encoding="utf-8")
    launcher = Launcher(checkout)
    launcher.program("tools", "uv", UV.format(python=sys.executable))
    for name in TOOLS:
        (checkout / "tools" / name).symlink_to(shutil.which(name))
    return launcher


def test_the_first_command_installs_and_the_second_does_not(launcher):
    first = launcher.run("status", "--json")

    assert first.stdout == f"hello|status|--json|{launcher.checkout}\n", first.stderr
    assert "Making the virtual environment" in first.stderr
    assert "Installing the packages of requirements.lock, requirements-embedded.lock" in first.stderr
    assert launcher.run("status").stderr == ""
    assert launcher.installed() == [["requirements.lock", "requirements-embedded.lock"]]


def test_a_changed_lock_is_installed_and_no_other(launcher):
    launcher.run("status")
    (launcher.checkout / "requirements.lock").write_text("# something else\n", encoding="utf-8")

    launcher.run("status")

    assert launcher.installed()[1:] == [["requirements.lock"]]


def test_tools_are_installed_for_tests_only(launcher):
    launcher.run("status")
    assert "requirements-dev.lock" not in launcher.stamp()

    launcher.run("test", "-x")

    assert set(launcher.stamp()) == {*LOCKS, "folder"}
    assert launcher.installed()[1:] == [["requirements-dev.lock"]]


def test_an_environment_that_was_moved_is_made_anew(launcher):
    launcher.run("status")
    moved = launcher.checkout.with_name("moved")
    launcher.checkout.rename(moved)

    answer = Launcher(moved).run("status")

    assert "Making the virtual environment" in answer.stderr
    assert answer.stdout == f"hello|status|{moved}\n"


def test_a_link_to_another_environment_is_refused_and_that_one_is_not_emptied(launcher, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious").touch()
    launcher.venv.symlink_to(other)

    answer = launcher.run("status")

    assert answer.returncode == 1
    assert f"is a link to {other}" in answer.stderr
    assert (other / "precious").exists()


def test_without_uv_pip_installs_by_hash_only(launcher):
    (launcher.checkout / "tools/uv").unlink()
    (launcher.checkout / "requirements.lock").write_text("six==1.17.0\n", encoding="utf-8")

    answer = launcher.run("status")

    assert answer.returncode == 1
    assert "Hashes are required in --require-hashes mode" in answer.stderr
    assert answer.stdout == ""


def test_without_the_wheels_of_the_servers_the_rest_is_installed(launcher):
    picky = 'case "$*" in *embedded*) exit 1 ;; esac'
    launcher.program("tools", "uv", picky + UV.format(python=sys.executable))

    answer = launcher.run("status")

    assert answer.returncode == 0
    assert "looking for the system's servers" in answer.stderr
    assert launcher.installed() == [["requirements.lock"]]


def test_a_symbolic_link_to_the_launcher_works(launcher, tmp_path):
    launcher.run("status")
    (tmp_path / "link").symlink_to(launcher.checkout / "bin/brainops")

    answer = launcher.run("status", program=tmp_path / "link")

    assert answer.stdout == f"hello|status|{launcher.checkout}\n"


def test_pythons_that_do_not_run_or_are_too_old_are_passed_over(launcher):
    launcher.program("tools", "python3.13", 'echo "pyenv: python3.13: command not found" >&2; exit 127')
    launcher.program("tools", "python3.12", "exit 1")
    launcher.program("tools", "python3.11", f'exec "{sys.executable}" "$@"')

    answer = launcher.run("status", BRAINOPS_PYTHON=None)

    assert answer.returncode == 0, answer.stderr


def test_a_machine_without_a_fitting_python_is_told_what_to_do(launcher):
    answer = launcher.run("up", BRAINOPS_PYTHON="/nowhere/python3")

    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        "bin/brainops needs Python 3.11, 3.12, 3.13 or 3.14 with venv and ensurepip.",
        "BRAINOPS_PYTHON=/nowhere/python3 is not such a Python.",
        "Debian, Ubuntu: sudo apt-get install python3-venv   macOS: brew install python@3.13",
        "Or name one: BRAINOPS_PYTHON=/path/to/python bin/brainops up",
    ]


def test_a_python_without_ensurepip_is_named(launcher):
    (launcher.checkout / "tools/uv").unlink()
    lacking = f'case "$*" in *ensurepip*) exit 1 ;; esac; exec "{sys.executable}" "$@"'
    python = launcher.program("tools", "python3", lacking)

    answer = launcher.run("up", BRAINOPS_PYTHON=str(python))

    assert answer.returncode == 1
    assert f"({python} lacks them)" in answer.stderr


def test_as_root_the_missing_package_is_installed(launcher):
    (launcher.checkout / "tools/uv").unlink()
    has_package = f'[ -e "{launcher.checkout}/has-package" ]'
    lacking = f'case "$*" in *ensurepip*) {has_package} || exit 1 ;; esac; exec "{sys.executable}" "$@"'
    python = launcher.program("tools", "python3", lacking)
    (launcher.checkout / "tools/id").unlink()
    launcher.program("tools", "id", "echo 0")
    launcher.program("tools", "apt-get", f'echo "apt-get $*"; : >"{launcher.checkout}/has-package"')

    answer = launcher.run("status", BRAINOPS_PYTHON=str(python))

    assert "apt-get install -y -qq python3-venv" in answer.stderr
    assert answer.stdout == f"hello|status|{launcher.checkout}\n"
