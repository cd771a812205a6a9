"""The locks, the pins and the reasons agree with each other."""

import re
from importlib.metadata import PackageNotFoundError, version

import pytest

from tests.architecture.source import CHECKOUT

# The version that repaired what is known about a package. No audit tool says it where advisories cannot be fetched.
REPAIRED = {
    "Django": "5.2.19",
    "djangorestframework": "3.18.3",
    "celery": "5.7.0",
    "PyJWT": "2.12",
    "urllib3": "2.7",
    "gunicorn": "23",
    "authlib": "1.6.4",
    "jinja2": "3.1.6",
    "cryptography": "48",
}
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)")
SETS = ("requirements", "requirements-embedded", "requirements-dev")


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file_name: str) -> dict[str, set[str]]:
    """Package → versions pinned in a file (two where platforms differ)."""
    found: dict[str, set[str]] = {}
    for line in (CHECKOUT / file_name).read_text(encoding="utf-8").splitlines():
        if match := PIN.match(line):
            found.setdefault(normalized(match["name"]), set()).add(match["version"])
    return found


@pytest.mark.parametrize("name", SETS)
def test_each_pin_stands_in_its_lock(name):
    locked = pins(f"{name}.lock")

    assert {package: locked.get(package) for package in pins(f"{name}.txt")} == pins(f"{name}.txt")


def test_the_locks_are_one_resolution():
    versions: dict[str, set[str]] = {}
    for name in SETS:
        for package, found in pins(f"{name}.lock").items():
            assert versions.setdefault(package, found) == found, package


@pytest.mark.parametrize("name", SETS)
def test_a_lock_has_hashes_and_names_no_index(name):
    text = (CHECKOUT / f"{name}.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-zA-Z0-9])", text)

    assert [entry.split()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
    assert re.findall(r"--(?:index-url|extra-index-url|find-links)|https?://", text) == []


def test_each_package_has_its_reason():
    reasons = (CHECKOUT / "docs/dependencies.md").read_text(encoding="utf-8")
    pinned = {package for name in SETS for package in pins(f"{name}.txt")}
    explained = {normalized(name) for name in re.findall(r"^\| `([^`]+)`", reasons, flags=re.MULTILINE)}

    assert sorted(pinned - explained) == []
    assert sorted(explained - pinned) == []


@pytest.mark.parametrize(("name", "least"), REPAIRED.items())
def test_no_package_is_older_than_its_repair(name, least):
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed here")

    def numbers(text):
        return [int(part) for part in re.findall(r"\d+", text)[:3]]

    assert numbers(installed) >= numbers(least)
