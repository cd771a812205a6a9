"""The gallery: every file is a workflow this release runs; loading twice changes nothing."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from automation.gallery import all_samples
from automation.models import Workflow
from automation.services import samples
from automation.services.workflow_drafts import read_draft
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Workspace


@pytest.fixture
def workspace(db: None) -> Workspace:
    return Workspace.objects.create(name="Main", slug="main")


def load_samples(**options: Any) -> list[str]:
    out = StringIO()
    call_command("load_samples", stdout=out, **options)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("sample", all_samples(), ids=lambda sample: sample.key)
def test_every_sample_is_a_workflow_of_this_release(sample: Any):
    draft = read_draft(sample.body)

    assert draft.content.description
    assert "sample" in draft.content.tags


def test_the_samples_are_loaded_and_the_one_to_run_is_named_first(workspace: Workspace):
    lines = load_samples()

    hello = Workflow.objects.get(name="Hello")
    assert lines[0] == f"{hello.id}  Hello"
    assert len(lines) == len(all_samples()) == Workflow.objects.count()
    assert (hello.workspace, hello.version, hello.meta_data) == (workspace, "1.0.0", {"sample": "hello"})


def test_loading_again_makes_nothing_and_names_the_same_workflows(workspace: Workspace):
    first, second = load_samples(), load_samples()

    assert first == second


def test_what_people_made_of_a_sample_stays(workspace: Workspace):
    load_samples()
    Workflow.objects.filter(name="Hello").update(name="Ours now")

    lines = load_samples()

    assert lines[0].endswith("  Ours now")
    assert Workflow.objects.count() == len(all_samples())


def test_each_workspace_has_samples_of_its_own(workspace: Workspace):
    other = Workspace.objects.create(name="Other", slug="other")
    load_samples()

    samples.load(system_caller(other.id, "tests"))

    assert Workflow.objects.filter(workspace=other).count() == len(all_samples())


def test_an_unknown_workspace_is_refused_with_the_known_ones(workspace: Workspace):
    with pytest.raises(CommandError, match=r"There is no workspace .mian.\. Known: main\."):
        load_samples(workspace="mian")
