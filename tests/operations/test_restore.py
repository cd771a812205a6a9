"""A backup put into a fresh installation: everything is there, and everything accepted goes on exactly once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from benchmarks.product import Product
from tests.architecture.source import CHECKOUT
from tests.live import Receiver, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(420)]
TOKEN = "token-of-the-scraper"


class Installation:
    """One installation of the launcher's in a folder of its own."""

    def __init__(self, data: Path, receiver: Receiver) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BRAINOPS_", "DJANGO_"))}
        ours = {"BRAINOPS_DATA": str(data), "BRAINOPS_EGRESS_ALLOW": receiver.address}
        ours["BRAINOPS_METRICS_TOKEN"] = TOKEN
        self.data, self._environment = data, {**kept, **ours}
        self._environment.pop("DATABASE_URL", None)
        self._environment.pop("REDIS_URL", None)

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "brainops.stack", *arguments]
        done = subprocess.run(
            command, cwd=CHECKOUT, env=self._environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def product(self, key: str = "") -> Product:
        """The API; with a new admin key unless there is one."""
        status = json.loads(self.run("status", "--json"))
        made = ["manage", "create_api_key", "--user", "ada", "--workspace", "shop", "--role", "admin"]
        key = key or self.run(*made).strip().splitlines()[-1]
        return Product(status["addresses"]["api"].partition("/api/")[0], key)


def calls_after(seconds: int, url: str) -> dict[str, Any]:
    """A workflow that sleeps, then calls `url` with what it was given and a secret."""
    call = {"method": "POST", "url": url, "json": {"id": "{{ inputs.id }} {{ secrets.token }}"}}
    return {
        "schema": 1,
        "steps": [
            {"id": "rest", "uses": "delay", "with": {"for": f"{seconds}s"}},
            {"id": "call", "uses": "http.request", "needs": ["rest"], "with": call},
        ],
    }


def test_a_restored_installation_has_everything_and_goes_on_exactly_once(tmp_path):
    receiver = Receiver()
    old, new = Installation(tmp_path / "old", receiver), Installation(tmp_path / "new", receiver)
    file = tmp_path / "saved"
    try:
        old.run("up", "--detach")
        product = old.product()
        product.call("PUT", "/secrets/token", {"value": "correct-horse"})
        waiting, quick = (product.workflow(f"After {n}", calls_after(n, receiver.url)) for n in (40, 1))
        runs = [start(product, waiting, f"waiting-{n}") for n in range(3)]
        wait_until(lambda: {state(product, run) for run in runs} == {"waiting"}, seconds=60)
        old.run("pause")
        runs += [start(product, quick, f"queued-{n}") for n in range(3)]
        old.run("backup", str(file))
        old.run("down")
        effects_before = dict(receiver.keys)

        new.run("restore", str(file), "--keys", str(old.data / "secrets"))
        new.run("up", "--detach")
        again = new.product(product.key)
        paused_for_now = {state(again, run) for run in runs}
        new.run("resume")
        wait_until(lambda: {state(again, run) for run in runs} == {"succeeded"}, seconds=90)
        time.sleep(1)

        assert effects_before == {}
        assert paused_for_now <= {"waiting", "queued"}
        expected = [f"{kind}-{n} correct-horse" for kind in ("waiting", "queued") for n in range(3)]
        assert {body: keys.total() for body, keys in receiver.keys.items()} == dict.fromkeys(expected, 1)
        assert "automation.Secret.value: 1 secrets can be read." in new.run("manage", "check_secrets")
        new.run("manage", "audit_verify")
        # web answers the scrape, and the worker ended the runs
        wait_until(lambda: metrics(again).get('brainops_runs_ended_total{status="succeeded"}', 0) >= 6, seconds=30)
    finally:
        old.run("down")
        new.run("down")
        receiver.close()


def metrics(product: Product) -> dict[str, float]:
    """Every series of a scrape, by its name with labels."""
    request = urllib.request.Request(
        f"{product.address}/internal/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def start(product: Product, workflow: str, number: str) -> str:
    return str(product.call("POST", f"/workflows/{workflow}/execute", {"inputs": {"id": number}})["id"])


def state(product: Product, run: str) -> str:
    return str(product.call("GET", f"/runs/{run}")["status"])
