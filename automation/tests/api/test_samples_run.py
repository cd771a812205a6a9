"""The samples run: the one that the launcher starts, and the one that answers first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from automation.models import Run
from automation.services import samples
from automation.tests.api.conftest import make_person, make_workspace
from brainops.accounts.caller import system_caller

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("inputs", "greeting"), [({}, "Good day, world!"), ({"name": "Ada", "hour": 20}, "Good evening, Ada!")]
)
def test_the_hello_sample_greets(runtime: Any, waiting_room: Any, inputs: dict, greeting: str):
    owner = make_person(make_workspace())
    hello = samples.load(system_caller(owner.workspace.id, "tests"))["hello"]

    run = owner.post(f"/workflows/{hello.id}/execute?wait=20", {"inputs": inputs}).json()

    assert (run["status"], run["output"]) == ("succeeded", {"greeting": greeting})
    assert [line["message"] for line in run["logs"] if line["path"]] == [greeting]
    assert len(run["steps"]) == 3


def test_the_answering_sample_answers_before_it_ends(runtime: Any, ended: Callable[..., Run]):
    owner = make_person(make_workspace())
    sample = samples.load(system_caller(owner.workspace.id, "tests"))["answer_then_work"]

    run = owner.post(f"/workflows/{sample.id}/execute", {"inputs": {"subject": "tea"}}).json()

    finished = ended(run["id"], seconds=20)
    assert finished.data.output == {"ticket": run["id"], "subject": "tea"}
    assert finished.data.response["status"] == 202
