"""The two commands of the README, with the real product: up runs a workflow, and nothing accepted is ever lost."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FINAL = {"succeeded", "failed", "cancelled", "timed_out"}
pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]


class Installation:
    """An installation in a folder of its own, driven as a person drives it."""

    def __init__(self, data):
        self.data = data
        ours = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BRAINOPS_")}
        self.environment = {name: value for name, value in kept.items() if name not in ours}
        self.environment["BRAINOPS_DATA"] = str(data)

    def run(self, *arguments):
        command = [sys.executable, "-m", "brainops.stack", *arguments]
        return subprocess.run(
            command, cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, check=False, timeout=200
        )

    def up(self):
        """Start, and return what was printed."""
        answer = self.run("up", "--detach")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def status(self):
        return json.loads(self.run("status", "--json").stdout)

    def call(self, method, path, body=None):
        """Call the API with the installation's own key."""
        key = (self.data / "secrets/api_key").read_text(encoding="utf-8").strip()
        request = urllib.request.Request(
            f"{self.status_address}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def remember_address(self):
        self.status_address = self.status()["addresses"]["api"].rstrip("/")


@pytest.fixture
def installation(tmp_path):
    installation = Installation(tmp_path / "data")
    yield installation
    installation.run("down")


def test_the_printed_line_starts_a_real_run(installation):
    printed = installation.up()
    line = re.search(r"^  (curl .*)$", printed, flags=re.MULTILINE)[1]

    answer = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)

    run = json.loads(answer.stdout)
    assert run["status"] == "succeeded"
    installation.remember_address()
    assert installation.call("GET", f"/runs/{run['id']}")["status"] == "succeeded"


def test_nothing_accepted_is_lost_when_everything_is_killed(installation):
    installation.up()
    installation.remember_address()
    workflow = (installation.data / "sample").read_text(encoding="utf-8").strip()

    def start(_number):
        return installation.call("POST", f"/workflows/{workflow}/execute", {"inputs": {}})["id"]

    with ThreadPoolExecutor(8) as senders:
        accepted = list(senders.map(start, range(60)))
    status = installation.status()
    for pid in [status["pid"], *(process["pid"] for process in status["processes"])]:
        os.kill(pid, signal.SIGKILL)
    installation.up()
    installation.remember_address()

    assert {run: wait_for_end(installation, run) for run in accepted} == dict.fromkeys(accepted, "succeeded")


def wait_for_end(installation, run):
    deadline = time.monotonic() + 60
    while (status := installation.call("GET", f"/runs/{run}")["status"]) not in FINAL:
        assert time.monotonic() < deadline, f"run {run} is still {status}"
        time.sleep(0.2)
    return status
