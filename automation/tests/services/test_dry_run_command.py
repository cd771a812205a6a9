"""manage.py dry_run: the plan of effects on a terminal."""

from __future__ import annotations

from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from automation.models import Run, Workflow
from automation.tests.triggers.rows import make_workflow

pytestmark = pytest.mark.django_db
DEFINITION: dict[str, Any] = {
    "schema": 1,
    "inputs": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    "steps": [
        {"id": "big", "uses": "condition", "with": {"when": "{{ inputs.n > 5 }}"}},
        {
            "id": "tell",
            "uses": "http.request",
            "needs": ["big.true"],
            "with": {"method": "POST", "url": "https://chat.example/{{ inputs.n }}"},
        },
    ],
}


@pytest.fixture
def workflow() -> Workflow:
    row = make_workflow()
    row.definition = DEFINITION
    row.save()
    return row


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("dry_run", *arguments, stdout=out)
    return out.getvalue()


def test_the_plan_is_told_line_by_line(workflow):
    lines = said(str(workflow.id), "--inputs", '{"n": 7}').splitlines()

    assert lines == [
        "The run would end as succeeded after 0 s of waiting.",
        "",
        "Effects",
        "  create  tell                         http.request           POST https://chat.example/7",
        "Decisions",
        "  big: true",
    ]
    assert Run.objects.count() == 0


def test_the_plan_as_json_has_everything(workflow, tmp_path):
    path = tmp_path / "inputs.json"
    path.write_text('{"n": 1}')

    report = orjson.loads(said(workflow.name, "--inputs", str(path), "--json"))

    assert (report["status"], report["effects"], report["decisions"][0]["taken"]) == ("succeeded", [], "false")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--inputs", "{}"), '/inputs: Input "n" is required. Add it.'),
        (("--inputs", "[1]"), "--inputs must be a JSON object."),
        (("--inputs", "nowhere.json"), "--inputs: 'nowhere.json' is neither JSON nor a file that can be read."),
        (("--inputs", "{"), "--inputs: The body is no JSON"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused(workflow, arguments, message):
    with pytest.raises(CommandError) as refused:
        said(str(workflow.id), *arguments)

    assert message in str(refused.value)


def test_a_workflow_that_is_not_there_is_named():
    with pytest.raises(CommandError, match="There is no workflow 'Nobody'"):
        said("Nobody")
