"""What `manage.py check --deploy` says of production settings, in a process of its own without anything of ours."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]


def checked(**changes: str) -> tuple[int, str]:
    """The exit code and what was said, of good settings with `changes`."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgresql://nobody:none@127.0.0.1:9/none",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "BRAINOPS_SECRET_KEY": secrets.token_urlsafe(50),
        "BRAINOPS_ENCRYPTION_KEYS": f"k1:{base64.urlsafe_b64encode(os.urandom(32)).decode()}",
        "BRAINOPS_PUBLIC_URL": "https://flows.example.com",
        "BRAINOPS_STAFF_MFA": "required",
        **changes,
    }
    said = subprocess.run(
        COMMAND, check=False, capture_output=True, text=True, env=environment, cwd=CHECKOUT, timeout=120
    )
    return said.returncode, said.stderr


def test_good_settings_need_neither_a_database_nor_an_excuse():
    code, said = checked()

    assert code == 0, said


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"BRAINOPS_SECRET_KEY": ""}, "BRAINOPS_SECRET_KEY is not set."),
        ({"BRAINOPS_SECRET_KEY": "short"}, "BRAINOPS_SECRET_KEY must have at least 50 characters, has 5."),
        ({"BRAINOPS_SECRET_KEY": "x" * 60}, "different characters."),
        ({"BRAINOPS_ENCRYPTION_KEYS": ""}, "BRAINOPS_ENCRYPTION_KEYS is not set. It must be id:key"),
        ({"BRAINOPS_ENCRYPTION_KEYS": f"k1:{'A' * 43}="}, "BRAINOPS_ENCRYPTION_KEYS holds a key that is not random"),
        ({"BRAINOPS_DEBUG": "1"}, "You should not have DEBUG set to True in deployment."),
        ({"BRAINOPS_ALLOWED_HOSTS": "*"}, "any Host header is believed."),
        ({"BRAINOPS_STAFF_MFA": "optional"}, "Staff may open the admin with a password alone."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
def test_what_is_not_fit_for_production_is_said(change: dict[str, str], expected: str):
    code, said = checked(**change)

    assert code != 0
    assert expected in said


def test_an_address_without_https_means_cookies_that_can_be_read_on_the_way():
    code, said = checked(BRAINOPS_PUBLIC_URL="http://flows.example.com")

    assert code != 0
    assert [name for name in ("W004", "W008", "W010", "W016") if f"security.{name}" in said] == [
        "W004",  # no HSTS
        "W008",  # no redirect to https
        "W010",  # the session's cookie
        "W016",  # the CSRF cookie
    ]
