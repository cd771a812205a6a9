"""docs/webhooks.md says what the code does."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from automation.models import RunData
from webhooks.services import quota
from webhooks.services.endpoints import GRACE_SECONDS, LONGEST_GRACE_SECONDS
from webhooks.signatures import all_schemes
from webhooks.tests import make
from webhooks.tests.make import Sender
from webhooks.triggers.webhook import DEFAULTS, KIND

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()


def table_after(heading):
    """The first and last columns of the table below a heading."""
    below = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0].partition("|---")[2]
    return dict(re.findall(r"^\| `(\w+)` \|.*\| ?(.*?) ?\|$", below, re.MULTILINE))


def test_the_table_of_the_config_is_the_schema():
    documented = table_after("Make one")

    assert set(documented) == set(KIND.config_schema["properties"])
    assert {name: documented[name].strip("`") for name in DEFAULTS} == {
        name: json.dumps(value).strip('"') for name, value in DEFAULTS.items()
    }


def test_the_table_of_schemes_is_the_folder():
    assert set(table_after("Schemes")) == set(all_schemes())


@pytest.mark.django_db
def test_the_trigger_scope_has_the_documented_keys():
    documented = json.loads(re.search(r'```json\n(\{"kind".*?)```', PAGE, re.DOTALL)[1])

    Sender(make.endpoint()).send({"ref": "refs/heads/main"})

    assert set(RunData.objects.get().input["trigger"]) == set(documented)


def test_the_numbers_are_those_of_the_code():
    assert f"at most {quota.STORED_PER_MINUTE} a\nminute" in PAGE
    assert f"newest {quota.KEPT} stay" in PAGE
    assert f"first {quota.KEPT_BODY_BYTES // 1024} KiB" in PAGE
    assert (GRACE_SECONDS, LONGEST_GRACE_SECONDS) == (86_400, 7 * 86_400)


@pytest.mark.django_db
def test_the_signature_made_by_hand_with_openssl_is_taken():
    body = '{"ref": "refs/heads/main"}'
    command = next(line for line in PAGE.splitlines() if line.startswith("signature=$("))
    made = subprocess.run(
        ["sh", "-c", f'{command}; printf %s "$signature"'],
        env={**os.environ, "body": body, "SECRET": make.SECRET},
        capture_output=True,
        check=True,
    )

    response = Sender(make.endpoint()).post(body.encode(), {"X-Hub-Signature-256": f"sha256={made.stdout.decode()}"})

    assert response.status_code == 202
