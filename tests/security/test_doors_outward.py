"""Every part that takes a URL from somebody, with every hostile URL: at saving where it can be told, at sending always.

Sent only inside a network namespace, where private and metadata addresses lead to a counter and nothing leaves the
machine. Without one: what is told at saving, which sends nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from brainops.core.egress.tests.hostile_urls import CLOSED, OPEN, shared_cases
from brainops.core.egress.tests.test_hostile_urls import REFUSED, namespace_command
from tests.security.conftest import Caller

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = {"2606:4700:4700::1111", "93.184.216.34"}
SHARED_CLOSED = tuple(case["url"] for case in shared_cases() if case["expect"] != "allow")
HOSTILE = sorted({*CLOSED, *SHARED_CLOSED})
# Names that only the test's own DNS knows: nobody can tell beforehand where they lead.
BY_NAME = (".test", "localhost", "LOCALHOST")
TOLD_AT_SAVING = [url for url in HOSTILE if not any(name in url for name in BY_NAME)]
HOOK = {"name": "Hook", "events": ["first_failure"], "channel": "webhook"}


@cache
def arrived() -> dict[str, Any]:
    """What became of all URLs inside the namespace."""
    command = [*namespace_command(), sys.executable, "-m", "tests.security.doors_probe"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BRAINOPS_")}
    done = subprocess.run(
        command,
        check=False,
        input=json.dumps([*HOSTILE, *OPEN]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=110,
        env={**plain, "BRAINOPS_DEBUG": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(namespace_command() is None, reason="this machine allows no network namespace")
@pytest.mark.parametrize("sender", ["step", "notice", "subscription"])
def test_no_sender_is_led_inside(sender: str):
    found = arrived()[sender]

    outcomes = found["outcomes"]
    assert {url: outcomes[url] for url in HOSTILE if outcomes[url] not in REFUSED} == {}
    assert [outcomes[url] for url in OPEN] == ["answered"] * len(OPEN)
    assert outcomes["redirect"] == ("blocked_target" if sender == "step" else "answered")  # only steps follow any
    assert found["hits"] == sorted(PUBLIC)
    assert found["turning"] == ["answered", "blocked_target"]
    assert found["hits_with_turning"] == sorted(PUBLIC)


def test_a_notice_is_not_saved_with_a_url_that_leads_inside(owner: Caller):
    answers = {url: owner.call("post", "notices", {**HOOK, "url": url}) for url in TOLD_AT_SAVING}

    assert len(TOLD_AT_SAVING) > 40
    assert {url: answer.status_code for url, answer in answers.items() if answer.status_code != 400} == {}
    pointers = {problem.get("pointer") for answer in answers.values() for problem in answer.json()["problems"]}
    assert pointers == {"/url"}
