"""The difference of two versions: steps by ids, renames recognised, the fewest moves."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from automation.services.json_diff import changes
from automation.services.version_diff import Difference, difference
from automation.services.workflow_drafts import Content


def log(id_: str, message: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"id": id_, "uses": "log", "with": {"message": message, "level": "info", "fields": {}}, **fields}


def loop(id_: str, *inner: dict[str, Any]) -> dict[str, Any]:
    return {"id": id_, "for_each": {"items": "{{ [1] }}"}, "steps": list(inner)}


def content(*steps: dict[str, Any], name: str = "A", tags: tuple[str, ...] = (), **document: Any) -> Content:
    return Content(name, {"schema": 1, "steps": list(steps), **document}, tags=tags)


def told(found: Difference) -> dict[str, Any]:
    """What is not empty, in short."""
    every = {
        "fields": [change.shown() for change in found.fields],
        "added": [step.id for step in found.added],
        "removed": [step.id for step in found.removed],
        "renamed": [(step.was, step.id, [change.shown() for change in step.changes]) for step in found.renamed],
        "changed": [(step.id, [change.shown() for change in step.changes]) for step in found.changed],
        "moved": [(step.id, step.before, step.after) for step in found.moved],
    }
    return {name: value for name, value in every.items() if value}


def test_the_same_content_in_another_layout_has_no_difference():
    one = content(log("a"), ui={"x": 1})
    other = content(dict(reversed(log("a").items())), ui={"x": 2})

    assert difference(one, other).is_empty
    assert told(difference(one, other)) == {}


def test_steps_are_added_removed_and_changed_by_id():
    before = content(log("a"), log("b", "old"), log("gone", "x", uses="fail"))
    after = content(log("b", "new"), log("a"), {"id": "came", "uses": "delay", "with": {"for": "1s"}})

    found = told(difference(before, after))

    assert found["added"] == ["came"]
    assert found["removed"] == ["gone"]
    assert found["changed"] == [
        ("b", [{"pointer": "/definition/steps/0/with/message", "before": "old", "after": "new"}])
    ]
    assert found["moved"] in (
        [("a", "/definition/steps/0", "/definition/steps/1")],
        [("b", "/definition/steps/1", "/definition/steps/0")],
    )


def test_a_renamed_step_is_the_same_step_and_its_mentions_are_no_changes():
    before = content(log("fetch", "x"), log("say", "{{ steps.fetch.output }} {{ steps.fetcher }}", needs=["fetch.ok"]))
    after = content(log("load", "x"), log("say", "{{ steps.load.output }} {{ steps.fetcher }}", needs=["load.ok"]))

    assert told(difference(before, after)) == {"renamed": [("fetch", "load", [])]}


def test_a_step_may_be_renamed_and_changed():
    found = told(difference(content(log("a", "x")), content(log("b", "y"))))

    change = {"pointer": "/definition/steps/0/with/message", "before": "x", "after": "y"}
    assert found == {"renamed": [("a", "b", [change])]}


def test_another_kind_of_step_is_no_rename():
    found = told(difference(content(log("a")), content({"id": "b", "uses": "delay", "with": {"for": "1s"}})))

    assert found == {"added": ["b"], "removed": ["a"]}


def test_of_two_candidates_the_more_alike_is_the_renamed_one():
    before = content(log("a", "x", timeout="5s"))
    after = content(log("b", "z"), log("c", "x", timeout="5s"))

    assert told(difference(before, after)) == {"added": ["b"], "renamed": [("a", "c", [])]}


def test_a_step_that_goes_into_a_loop_has_moved():
    before = content(log("a"), loop("each", log("b")))
    after = content(loop("each", log("b"), log("a")))

    assert told(difference(before, after)) == {"moved": [("a", "/definition/steps/0", "/definition/steps/0/steps/1")]}


def test_what_is_inside_a_renamed_loop_has_not_moved():
    before, after = content(loop("each", log("a"))), content(loop("every", log("a")))

    assert told(difference(before, after)) == {"renamed": [("each", "every", [])]}


def test_a_step_at_the_front_moves_no_other():
    before, after = content(log("a"), log("b"), log("c")), content(log("c"), log("a"), log("b"))

    assert told(difference(before, after)) == {"moved": [("c", "/definition/steps/2", "/definition/steps/0")]}


@pytest.mark.parametrize("order", list(permutations("abcd")))
def test_the_moves_explain_every_order(order: tuple[str, ...]):
    before, after = content(*map(log, "abcd")), content(*map(log, order))

    moved = {step.id for step in difference(before, after).moved}
    standing = [id_ for id_ in order if id_ not in moved]

    assert standing == sorted(standing)
    assert len(moved) <= 3


def test_name_tags_inputs_and_settings_are_told_by_their_place():
    before = content(log("a"), tags=("x",), inputs={"type": "object"}, settings={"timeout": "5m"})
    after = content(log("a"), name="B", tags=("x", "y"), inputs={"type": "object"}, output="{{ 1 }}")

    assert told(difference(before, after)) == {
        "fields": [
            {"pointer": "/name", "before": "A", "after": "B"},
            {"pointer": "/definition/settings", "before": {"timeout": "5m"}},
            {"pointer": "/definition/output", "after": "{{ 1 }}"},
            {"pointer": "/tags", "before": ["x"], "after": ["x", "y"]},
        ]
    }


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (1, 1.0, [{"pointer": "", "before": 1, "after": 1.0}]),
        (True, 1, [{"pointer": "", "before": True, "after": 1}]),
        ({"a": None}, {}, [{"pointer": "/a", "before": None}]),
        ({"a/b~c": 1}, {"a/b~c": 2}, [{"pointer": "/a~1b~0c", "before": 1, "after": 2}]),
        ([{"a": 1}, {"b": 1}], [{"a": 1}, {"c": 1}, {"b": 1}], [{"pointer": "/1", "after": {"c": 1}}]),
        ([{"a": 1}, {"b": 1}], [{"b": 1}], [{"pointer": "/0", "before": {"a": 1}}]),
        ([{"a": 1}], [{"a": 2}], [{"pointer": "/0/a", "before": 1, "after": 2}]),
        ([1, 2], [1, 3], [{"pointer": "", "before": [1, 2], "after": [1, 3]}]),
        ({"x": [1]}, {"x": {"y": 1}}, [{"pointer": "/x", "before": [1], "after": {"y": 1}}]),
    ],
)
def test_json_differs_at_the_deepest_place_that_shows_it(before: Any, after: Any, found: list[dict[str, Any]]):
    assert [change.shown() for change in changes(before, after)] == found
