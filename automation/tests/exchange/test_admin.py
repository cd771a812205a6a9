"""Exports and imports in the admin: a preview before the button, rights, and nothing of a file shown as markup."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from automation.models import Transfer, Workflow
from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.exchange.conftest import Api, file_of, say, workflow
from brainops.audit.models import AuditEntry

IMPORT = reverse("admin:automation_workflow_import")
LIST = reverse("admin:automation_workflow_changelist")


@pytest.fixture
def importer(db: None) -> Any:
    return make_staff("view_workflow", "add_workflow", "change_workflow")


def upload(client: Any, who: Api, body: bytes, name: str = "in.json", **said: str) -> Any:
    file = SimpleUploadedFile(name, body)
    return client.post(IMPORT, {"workspace": str(who.workspace.id), "file": file, "strategy": "merge", **said})


def test_an_import_is_previewed_and_then_confirmed(owner: Api, importer: Any):
    bad = workflow("Bad", {"schema": 1, "steps": [{"id": "a", "uses": "nothing"}]})
    answer = upload(importer, owner, file_of(workflow("Good", say("{{ vars.gone }}")), bad))

    preview = importer.get(answer.url).content.decode()
    assert Workflow.objects.count() == 0
    done = importer.post(answer.url, {"strategy": "merge"}).content.decode()

    assert all(word in preview for word in ("Good", "Create", "Bad", "Refused", "Missing variables", "Import now"))
    assert ("Created 1, changed 0" in done, "Not imported: 1" in done, "Import now" in done) == (True, True, False)
    row = Workflow.objects.get()
    assert (row.name, row.owner_id, row.is_active) == ("Good", importer.user.id, False)
    assert Transfer.objects.count() == 0
    assert AuditEntry.objects.get(action="workflow.import").actor_label == importer.user.email


def test_switching_on_and_the_strategy_reach_the_import(owner: Api, importer: Any):
    owner.make(name="Here", definition=say("old"))
    answer = upload(
        importer, owner, file_of(workflow("Here", say("new")), workflow("New")), strategy="skip", activate="yes"
    )

    preview = importer.get(answer.url).content.decode()
    importer.post(answer.url, {"strategy": "skip", "activate": "yes"})

    assert 'name="activate" value="yes"' in preview
    assert list(Workflow.objects.order_by("name").values_list("name", "is_active")) == [("Here", True), ("New", True)]
    assert Workflow.objects.get(name="Here").definition == say("old")


def test_names_in_a_file_are_text_on_the_page(owner: Api, importer: Any):
    answer = upload(
        importer, owner, file_of(workflow(EVIL, key=EVIL), workflow("x", {"schema": 1, "steps": [{"id": EVIL}]}))
    )

    assert EVIL not in importer.get(answer.url).content.decode()


@pytest.mark.parametrize(("body", "name"), [(b"[", "in.json"), (b"", "in.yaml"), (b"x", "in.zip"), (b"{}", "in.exe")])
def test_a_file_that_cannot_be_read_is_said_on_the_page(owner: Api, importer: Any, body: bytes, name: str):
    answer = upload(importer, owner, body, name)
    page = importer.get(answer.url, follow=True) if answer.status_code == 302 else answer

    assert page.status_code == 200
    assert "Show what would happen" in page.content.decode()
    assert Workflow.objects.count() == 0


def test_a_file_beyond_the_limit_is_refused(owner: Api, importer: Any, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "import_now_bytes": 1024}

    assert "at most 1,024 are taken" in upload(importer, owner, b"x" * 2000).content.decode()


def test_looking_is_not_importing(owner: Api, importer: Any):
    looker = make_staff("view_workflow")
    kept = upload(importer, owner, file_of(workflow())).url

    assert looker.get(IMPORT).status_code == looker.get(kept).status_code == looker.post(kept).status_code == 403
    assert make_staff("add_workflow", "change_workflow").get(kept).status_code == 404  # somebody else's file
    assert (IMPORT in looker.get(LIST).content.decode(), IMPORT in importer.get(LIST).content.decode()) == (False, True)


def test_chosen_workflows_are_exported_and_so_is_one_from_its_page(owner: Api, stranger: Api, importer: Any):
    one, two = owner.make(name="One")["id"], owner.make(name="Two")["id"]
    foreign = stranger.make(name="Foreign")["id"]

    def choose(*ids: str) -> Any:
        return importer.post(LIST, {"action": "export_chosen", "_selected_action": ids}, follow=True)

    file = json.loads(b"".join(choose(one, two).streaming_content))
    page = importer.get(reverse("admin:automation_workflow_page", args=[one])).content.decode()
    single = importer.get(reverse("admin:automation_workflow_export", args=[one]), {"format": "yaml"})

    assert [told["name"] for told in file["workflows"]] == ["One", "Two"]
    assert "Choose workflows of one workspace." in choose(one, foreign).content.decode()
    assert f"{reverse('admin:automation_workflow_export', args=[one])}?format=yaml" in page
    assert b"name: One" in b"".join(single.streaming_content)
    assert make_staff().get(reverse("admin:automation_workflow_export", args=[one])).status_code == 403
