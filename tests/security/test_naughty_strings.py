"""Texts that break programs go in and come out as they were, or are refused; nothing of them runs in a page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.test import Client

from automation.models import Workflow
from automation.tests.admin.conftest import add_lines, add_step, make_run
from brainops.accounts.models import User
from tests.security.naughty import STRINGS

STORABLE = [text for text in STRINGS if "\x00" not in text]  # PostgreSQL stores no NUL: the gate refuses it
GROUPS = [STRINGS[start : start + 40] for start in range(0, len(STRINGS), 40)]
DEFINITION = {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "hello"}}]}


ADDRESSES = ("href", "src", "action", "formaction", "data", "xlink:href")


class Living(HTMLParser):
    """Notes what a browser would run: handlers in attributes, addresses that are scripts, scripts in the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        is_data = named.get("type", "") in ("application/json", "text/template")
        if tag == "script" and "src" not in named and not is_data:
            self.found.append("script")
        for name, value in attrs:
            is_script = name in ADDRESSES and (value or "").strip().lower().startswith("javascript:")
            if name.startswith("on") or is_script:
                self.found.append(f"{tag} {name}={value}")


@pytest.mark.parametrize("strings", GROUPS, ids=lambda strings: ascii(strings[0])[:20])
def test_a_naughty_text_comes_back_as_it_was_or_is_refused(owner, strings):
    for text in strings:
        sent = {"name": text, "description": text, "definition": DEFINITION, "meta_data": {"text": text, text: [text]}}
        answer = owner.call("post", "workflows", sent)
        if answer.status_code == 201:
            kept = owner.call("get", f"workflows/{answer.json()['id']}").json()
            assert {name: kept[name] for name in sent} == sent
        else:
            refused = answer.json()
            assert (answer.status_code, refused["status"]) == (400, 400), text
            assert {problem["pointer"].split("/")[1] for problem in refused["problems"]} <= set(sent), text

    assert owner.call("get", "workflows?limit=200").status_code == 200


@pytest.mark.parametrize("strings", GROUPS, ids=lambda strings: ascii(strings[0])[:20])
def test_a_naughty_text_searched_for_is_only_a_text(owner, strings):
    nothing = owner.call("get", "workflows?search=nonsense-of-no-workflow").json()["results"]
    for text in strings:
        for parameter in ("search", "tag", "ordering", "cursor", "owner", "status"):
            answer = owner._client.get("/api/v1/automation/workflows", {parameter: text})
            assert answer.status_code in (200, 400), (parameter, text)
            if answer.status_code == 200 and text.strip():
                assert answer.json()["results"] == nothing, (parameter, text)


def test_naughty_inputs_reach_a_run_unchanged(owner, things):
    answer = owner.call("post", f"workflows/{things.workflow.id}/execute", {"inputs": {"all": STORABLE}})

    assert answer.status_code == 202, answer.content
    run = owner.call("get", f"runs/{answer.json()['id']}").json()
    assert run["inputs"] == {"all": STORABLE}
    with_nul = owner.call("post", f"workflows/{things.workflow.id}/execute", {"inputs": {"all": "a\x00b"}})
    assert (with_nul.status_code, with_nul.json()["problems"][0]["pointer"]) == (400, "/inputs/all")


def test_no_page_of_the_admin_lets_a_naughty_text_live(things):
    for text in STORABLE:
        if text:
            Workflow.objects.create(workspace=things.home, name=text[:200], definition=DEFINITION, tags=[text[:60]])
    run = make_run(things.workflow, inputs={"all": STORABLE})
    add_step(run, "say", output=STORABLE, error={"message": " ".join(STORABLE)})
    add_lines(run, 3, " ".join(STORABLE)[:2000])
    things.person.is_staff = things.person.is_superuser = True
    things.person.save()
    client = Client()
    client.force_login(User.objects.get(id=things.person.id))

    pages = [
        *(f"/admin/automation/workflow/?p={page}" for page in range(1, 10)),
        f"/admin/automation/workflow/{things.workflow.id}/",
        "/admin/automation/run/",
        f"/admin/automation/run/{run.uid}/",
    ]
    alive = {page: Living(client.get(page).content.decode()).found for page in pages}

    assert alive == {page: [] for page in pages}
