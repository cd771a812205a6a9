"""JSON Schemas: all refusals at once, nothing fetched, no pattern that hangs."""

import pytest

from brainops.core.errors import InvalidInput, Problem
from brainops.core.schemas import Schema, SchemaError, json_pointer

ORDER = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "lines": {"type": "array", "items": {"type": "object", "required": ["sku"]}, "maxItems": 2},
        "at": {"type": "string", "format": "date-time"},
    },
    "required": ["id"],
    "additionalProperties": False,
}


def test_a_value_that_fits_has_no_problems():
    assert Schema(ORDER).problems({"id": 1, "lines": [{"sku": "a"}], "at": "2026-01-02T03:04:05Z"}) == ()


def test_everything_wrong_is_named_at_once_with_its_place():
    problems = Schema(ORDER).problems({"id": 0, "lines": [{"sku": 1}, {}], "at": "noon", "extra": 1, "a/b": 2})

    assert {(problem.code, problem.pointer) for problem in problems} == {
        ("minimum", "/id"),
        ("missing", "/lines/1"),
        ("format", "/at"),
        ("unknown_key", "/extra"),
        ("unknown_key", "/a~1b"),
    }


def test_the_pointer_starts_where_the_value_stands():
    assert Schema(ORDER).problems({}, pointer="/order") == (Problem("missing", "'id' is required. Add it.", "/order"),)


def test_a_check_raises_with_all_of_it():
    with pytest.raises(InvalidInput) as refusal:
        Schema(ORDER).check({"id": "x", "y": 1})

    assert refusal.value.message == '"x" is not of type "integer". (1 more)'
    assert len(refusal.value.problems) == 2


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strin"},
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/nowhere"},
        {"pattern": "(?=a)b"},  # look-around needs an engine that can hang
        {"pattern": "a{1,999999999}"},
    ],
)
def test_a_schema_that_cannot_be_used_safely_is_refused(schema):
    with pytest.raises(SchemaError):
        Schema(schema)


@pytest.mark.timeout(5)
def test_a_pattern_that_makes_other_engines_hang_does_not():
    assert Schema({"pattern": "^(a+)+$"}).problems("a" * 50_000 + "b") != ()


@pytest.mark.parametrize("value", [object(), {1: 2}, "\ud800", float("nan")])
def test_what_is_no_json_is_a_problem_and_no_crash(value):
    assert len(Schema({"type": "object", "properties": {"x": False}, "required": ["x"]}).problems(value)) == 1


def test_at_most_a_hundred_problems_are_listed():
    assert len(Schema({"items": {"type": "integer"}}).problems(["x"] * 1000)) == 100


def test_a_pointer_escapes_what_has_a_meaning_in_it():
    assert json_pointer(["a/b", 0, "c~d", ""]) == "/a~1b/0/c~0d/"
