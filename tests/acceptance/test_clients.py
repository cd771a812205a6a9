"""The examples of docs/clients.md do what they say, against a real server and a real worker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
GUIDE = (CHECKOUT / "docs" / "clients.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    """The code block of a language in the guide."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, language
    return found[0]


def run(command: list[str], product, *, given: str, **environment: str) -> str:
    variables = {**os.environ, "API_URL": product.address, "API_KEY": product.key, **environment}
    said = subprocess.run(command, input=given, env=variables, capture_output=True, text=True, timeout=90, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> Path:
    """The folder of a Python client made from the committed document, without a single complaint about the API."""
    folder = tmp_path_factory.mktemp("client")
    config = folder / "config.json"
    # what the generator does not know by name is sent as it is
    files = dict.fromkeys(
        ["application/yaml", "application/x-ndjson", "application/zip", "application/xml"], "application/octet-stream"
    )
    config.write_text(
        json.dumps({"post_hooks": [], "content_type_overrides": {"text/plain": "application/json", **files}})
    )
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate"),
        *("--path", str(CHECKOUT / "docs" / "openapi.yaml"), "--output-path", str(folder / "made")),
        *("--config", str(config), "--fail-on-warning"),
    ]
    said = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    return folder / "made"


@pytest.mark.django_db(transaction=True)
def test_the_lines_for_the_shell_make_a_workflow_and_run_it(product, workers):
    workers.start()

    said = json.loads(run(["bash", "-e"], product, given=example("sh")))

    assert (said["status"], said["output"]) == ("succeeded", "Hello Ada")


@pytest.mark.django_db(transaction=True)
def test_a_generated_client_makes_a_workflow_and_runs_it(product, workers, generated):
    workers.start()

    said = run([sys.executable, "-"], product, given=example("python"), PYTHONPATH=str(generated))

    assert said.splitlines() == ["succeeded Hello Ada", "['Greet (Python)']"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_the_lines_for_javascript_make_a_workflow_and_run_it(product, workers):
    workers.start()

    said = run(["node", "--input-type=module", "-"], product, given=example("js"))

    assert said.splitlines() == ["succeeded Hello Ada"]
