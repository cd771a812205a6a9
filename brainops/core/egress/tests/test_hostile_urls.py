"""Hostile URLs against the door: in a network namespace where the victims are real, and without one by the rules."""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from brainops.core.egress.errors import BlockedTarget, InvalidRequest
from brainops.core.egress.message import Request
from brainops.core.egress.tests.hostile_urls import CLOSED, OPEN, SHARED_CASES, shared_cases

ROOT = Path(__file__).resolve().parents[4]
REFUSED = {"blocked_target", "invalid_request"}


@cache
def namespace_command():
    """Find a way to a namespace of our own, as root or as a user who may map himself to root. None: there is none."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return None
    for options in (["--net", "--mount"], ["--user", "--map-root-user", "--net", "--mount"]):
        command = ["unshare", *options]
        check = [*command, "sh", "-c", "ip link set lo up && mount --bind /etc/hosts /etc/resolv.conf"]
        if subprocess.run(check, check=False, capture_output=True).returncode == 0:
            return command
    return None


def arrived(urls):
    """Send the URLs inside a namespace and tell what arrived where."""
    if namespace_command() is None:
        pytest.skip("this machine allows no network namespace; the rules are tested without one below")
    command = [*namespace_command(), sys.executable, "-m", "brainops.core.egress.tests.namespace_probe"]
    done = subprocess.run(
        command, check=False, input=json.dumps(urls), capture_output=True, text=True, cwd=ROOT, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def names_of_the_test(name, port):
    answers = {
        "localhost": ["127.0.0.1", "::1"],
        "multi.test": ["93.184.216.34", "169.254.169.254"],
        "inner.test": ["10.0.0.1"],
    }
    if name not in answers:
        raise OSError(-2, "Name or service not known")
    return answers[name]


def test_no_hostile_url_arrives_inside():
    found = arrived([*CLOSED, *OPEN])

    outcomes = found["outcomes"]
    assert found["control"] == ["169.254.169.254"]
    assert {url: outcomes[url] for url in CLOSED if outcomes[url] not in REFUSED} == {}
    assert [outcomes[url] for url in OPEN] == ["200", "200", "200", "200"]
    assert (outcomes["rebind, first"], outcomes["rebind, second"]) == ("200", "blocked_target")
    assert outcomes["redirect"] == "blocked_target"
    assert found["hits"] == ["2606:4700:4700::1111", "93.184.216.34"]


def test_no_shared_case_arrives_inside():
    cases = shared_cases()
    if not cases:
        pytest.skip(f"{SHARED_CASES.name} does not stand beside this checkout")
    found = arrived([case["url"] for case in cases])

    refused = {case["url"] for case in cases if case["expect"] != "allow"}
    assert {url for url, outcome in found["outcomes"].items() if outcome in REFUSED} >= refused
    assert refused.isdisjoint(url for url, outcome in found["outcomes"].items() if outcome not in REFUSED)
    assert set(found["hits"]) <= {"93.184.216.34"}


@pytest.mark.parametrize("url", CLOSED)
def test_a_hostile_url_is_refused_before_a_connection(make_client, url):
    with pytest.raises((BlockedTarget, InvalidRequest)):
        make_client("", resolver=names_of_the_test).send(Request("GET", url))


@pytest.mark.parametrize("case", shared_cases() or [None], ids=lambda case: (case or {}).get("why", "absent"))
def test_a_shared_case_is_judged_as_marked(make_client, case):
    if case is None:
        pytest.skip(f"{SHARED_CASES.name} does not stand beside this checkout")
    client = make_client("", resolver=names_of_the_test)
    if case["expect"] == "allow":
        client.check(case["url"])
        return

    with pytest.raises((BlockedTarget, InvalidRequest)):
        client.send(Request("GET", case["url"]))
