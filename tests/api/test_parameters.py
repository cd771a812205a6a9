"""What stands behind the `?` is known or refused, at every address and for every method."""

from __future__ import annotations

import pytest

from automation.tests.api.conftest import Api
from brainops.core.api.pagination import LARGEST_PAGE
from tests.api.conftest import Walker
from tests.api.walk import OPEN_QUERIES, Verb, lists, path_of, verbs

CLOSED = [verb for verb in verbs() if verb.route not in OPEN_QUERIES]


def refusal(walker: Walker, verb: Verb, query: str) -> tuple[int, list[tuple[str, str]]]:
    answer = walker.send(verb.method.upper(), f"{path_of(verb, walker.parents)}?{query}")
    problems = answer.json().get("problems", []) if answer.status_code == 400 else []
    return answer.status_code, [(one["code"], one["parameter"]) for one in problems]


def test_a_parameter_nobody_knows_is_refused_by_name_everywhere(walker: Walker):
    wanted = (400, [("unknown_parameter", "nonsense"), ("unknown_parameter", "limt")])

    answers = {str(verb): refusal(walker, verb, "nonsense=1&limt=5") for verb in CLOSED}

    assert len(answers) > 100
    assert {name: found for name, found in answers.items() if found != wanted} == {}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_parameter"),
        (f"limit={LARGEST_PAGE + 1}", "invalid_parameter"),
        ("limit=1e1", "invalid_parameter"),
        ("limit=1&limit=2", "repeated_parameter"),
        ("fields=nonsense", "invalid_parameter"),
        ("fields=", "invalid_parameter"),
    ],
)
def test_every_list_refuses_what_its_paging_cannot_mean(walker: Walker, query: str, code: str):
    wanted = (400, [(code, query.partition("=")[0])])

    answers = {str(verb): refusal(walker, verb, query) for verb in lists()}

    assert len(answers) > 20
    assert {name: found for name, found in answers.items() if found != wanted} == {}


@pytest.mark.parametrize("query", ["ordering=password", "count=perhaps"])
def test_every_list_refuses_an_order_or_a_count_that_it_does_not_know(walker: Walker, query: str):
    name = query.partition("=")[0]

    answers = {str(verb): refusal(walker, verb, query) for verb in lists()}

    assert {(status, parameter) for status, [(_, parameter)] in answers.values()} == {(400, name)}


@pytest.mark.parametrize("cursor", ["junk", "", "WzEsMl0", "%00", "A" * 3000])
def test_every_list_refuses_a_cursor_that_it_did_not_make(walker: Walker, cursor: str):
    has_parent = [verb for verb in lists() if "<" not in verb.route or verb.route.split("/")[0] in walker.parents]

    answers = {str(verb): refusal(walker, verb, f"cursor={cursor}") for verb in has_parent}

    wanted = (400, [("cursor_invalid", "cursor")])
    assert {name: found for name, found in answers.items() if found != wanted} == {}


def test_every_list_answers_with_a_page_and_a_count_if_it_can_count(walker: Walker):
    has_parent = [verb for verb in lists() if "<" not in verb.route or verb.route.split("/")[0] in walker.parents]
    paths = [path_of(verb, walker.parents) for verb in has_parent if "<str:path>" not in verb.route]

    plain = {path: list(walker.send("GET", f"{path}?limit=1").json()) for path in paths}
    counted = {path: list(walker.send("GET", f"{path}?limit=1&count=true").json()) for path in paths}

    with_count = ["next", "previous", "count", "count_is_exact", "results"]
    assert {path: found for path, found in plain.items() if found != ["next", "previous", "results"]} == {}
    assert sum(found == with_count for found in counted.values()) > len(paths) - 5


def test_the_refusal_names_the_known_ones_and_every_other_mistake(owner: Api):
    said = owner.get("/triggers", kinds="webhook", is_active="perhaps").json()

    assert [one["message"] for one in said["problems"]] == [
        "'kinds' is no query parameter of this address. Known: count, cursor, fields, health, is_active,"
        " kind, limit, workflow_id.",
        "is_active: Must be a valid boolean.",
    ]


def test_an_address_without_parameters_says_so(owner: Api):
    said = owner.send("POST", "/workflows/validate?x=1", {"definition": {}}).json()

    assert said["detail"] == "'x' is no query parameter of this address. It takes none."


def test_a_parameter_that_stands_once_is_not_guessed_from_two(owner: Api):
    said = owner.get("/workflows", is_active=["true", "false"]).json()

    assert [(one["code"], one["parameter"]) for one in said["problems"]] == [("repeated_parameter", "is_active")]
