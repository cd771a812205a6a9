"""What stands behind the `?` is known or refused, at every address and for every method."""

from __future__ import annotations

import pytest

from automation.models import Replay
from automation.tests.api.conftest import Api
from brainops.core.api.pagination import LARGEST_PAGE
from tests.api.walk import OPEN_QUERIES, Verb, lists, path_of, verbs
from webhooks.models import WebhookEndpoint


@pytest.fixture
def parents(owner: Api) -> dict[str, str]:
    """One row of each kind that has lists below it."""
    workflow = owner.make()["id"]
    run = owner.post(f"/workflows/{workflow}/execute").json()["id"]
    owner.post("/triggers", {"workflow_id": workflow, "kind": "webhook", "config": {"scheme": "github"}})
    replay = Replay.objects.create(workspace=owner.workspace, created_by_id=owner.user.id)
    endpoint = WebhookEndpoint.objects.get(workspace=owner.workspace)
    return {"workflows": workflow, "runs": run, "replays": str(replay.id), "webhooks": str(endpoint.id)}


@pytest.mark.parametrize("verb", [verb for verb in verbs() if verb.route not in OPEN_QUERIES], ids=str)
def test_a_parameter_nobody_knows_is_refused_by_name(owner: Api, verb: Verb):
    answer = owner.send(verb.method.upper(), path_of(verb, {}) + "?nonsense=1&limt=5")

    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, "invalid_input")
    assert [(one["code"], one["parameter"]) for one in said["problems"]] == [
        ("unknown_parameter", "nonsense"),
        ("unknown_parameter", "limt"),
    ]


def test_the_refusal_names_the_known_ones_and_every_other_mistake(owner: Api):
    said = owner.get("/triggers", kinds="webhook", is_active="perhaps").json()

    assert [one["message"] for one in said["problems"]] == [
        "'kinds' is no query parameter of this address. Known: count, cursor, fields, is_active, kind, limit, ordering,"
        " workflow_id.",
        "is_active: Must be a valid boolean.",
    ]


def test_an_address_without_parameters_says_so(owner: Api):
    said = owner.send("POST", "/workflows/validate?x=1", {"definition": {}}).json()

    assert said["detail"] == "'x' is no query parameter of this address. It takes none."


def test_a_parameter_that_stands_once_is_not_guessed_from_two(owner: Api):
    said = owner.get("/workflows", is_active=["true", "false"]).json()

    assert [(one["code"], one["parameter"]) for one in said["problems"]] == [("repeated_parameter", "is_active")]


@pytest.mark.parametrize("verb", lists(), ids=str)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("cursor=junk", "cursor_invalid"),
        ("cursor=", "cursor_invalid"),
        ("cursor=WzEsMl0", "cursor_invalid"),  # [1,2]
        ("limit=0", "invalid_input"),
        (f"limit={LARGEST_PAGE + 1}", "invalid_input"),
        ("limit=1e1", "invalid_input"),
        ("fields=nonsense", "invalid_input"),
        ("fields=", "invalid_input"),
        ("ordering=password", "invalid_input"),
        ("count=perhaps", "invalid_input"),
    ],
)
def test_every_list_refuses_what_its_paging_cannot_mean(
    owner: Api, parents: dict[str, str], verb: Verb, query: str, code: str
):
    answer = owner.send("GET", f"{path_of(verb, parents)}?{query}")

    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, code)
    assert [one["parameter"] for one in said["problems"]] == [query.partition("=")[0]]


@pytest.mark.parametrize("verb", lists(), ids=str)
def test_every_list_answers_with_pages_members_and_a_count(owner: Api, parents: dict[str, str], verb: Verb):
    path = path_of(verb, parents)
    plain = owner.send("GET", f"{path}?limit=1")
    counted = owner.send("GET", f"{path}?limit=1&count=true")

    assert plain.status_code == 200
    assert list(plain.json()) == ["next", "previous", "results"]
    if counted.status_code == 200:
        assert list(counted.json()) == ["next", "previous", "count", "count_is_exact", "results"]
        assert counted.json()["count_is_exact"] is True
    else:  # rows that nobody can count say so
        assert [one["parameter"] for one in counted.json()["problems"]] == ["count"]
