"""Exports and imports from the command line, and YAML where a person writes it."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from automation.models import Workflow
from automation.tests.exchange.conftest import PREFIX, Api, file_of, say, workflow


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_what_one_command_wrote_the_other_reads(owner: Api, other: Api, tmp_path):
    owner.make(name="One", tags=["x"])
    owner.make(name="Two")
    path = str(tmp_path / "out.yaml")

    said = command("export_workflows", owner.workspace.slug, "--output", path, "--tag", "x")
    rehearsed = command("import_workflows", other.workspace.slug, path, "--dry-run")
    done = command("import_workflows", str(other.workspace.id), path)
    again = json.loads(command("import_workflows", other.workspace.slug, path, "--json"))

    assert said == f"Exported 1 workflow to {path}.\n"
    assert rehearsed == "create     One 1.0.0\nWould import 1 workflow.\n"
    assert done == "create     One 1.0.0\nImported 1 workflow.\n"
    assert again["counts"]["unchanged"] == 1
    assert Workflow.objects.get(workspace=other.workspace).owner_id == other.user.id


def test_a_command_says_what_could_not_be_imported_and_why(owner: Api, tmp_path):
    path = tmp_path / "in.json"
    path.write_bytes(
        file_of(workflow("Good"), workflow("Bad", {"schema": 1, "steps": [{"id": "a", "uses": "nothing"}]}))
    )

    with pytest.raises(CommandError, match="Some workflows were not imported"):
        command("import_workflows", owner.workspace.slug, str(path))
    with pytest.raises(CommandError, match=r'Nothing was imported: 1 of 2 .*\nBad: .*"nothing"'):
        command("import_workflows", owner.workspace.slug, str(path), "--all-or-nothing", "--strategy", "skip")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export_workflows", "nowhere"), "There is no workspace 'nowhere'. Known: "),
        (("import_workflows", "{home}", "nothing.json"), "There is no file 'nothing.json'."),
        (("import_workflows", "{home}", "nothing.txt"), "The file's name does not say what it is."),
        (("import_workflows", "{home}", "x.json", "--owner", "nobody@example.com"), "Nobody with the address"),
    ],
)
def test_a_command_says_what_it_cannot_find(owner: Api, arguments: tuple[str, ...], said: str):
    with pytest.raises(CommandError) as error:
        command(*(argument.replace("{home}", owner.workspace.slug) for argument in arguments))

    assert str(error.value).startswith(said)


def test_a_workflow_written_in_yaml_is_validated(owner: Api):
    client = Client(headers={"Authorization": f"Bearer {owner.key.text}"})

    def validate(text: str) -> dict:
        return client.post(f"{PREFIX}/workflows/validate", text, content_type="application/yaml").json()

    good = validate("definition:\n  schema: 1\n  steps:\n  - {id: say, uses: log, with: {message: 'no'}}\n")
    same = owner.post("/workflows/validate", {"definition": say("no")}).json()
    refused = validate("definition: &a {x: *a}\n")

    assert good == same
    assert refused["code"] == "malformed_yaml"
