"""The checker: JSON Schema with our own words, nothing fetched, nothing slow."""

import time

import pytest

from automation.engine.checker import Checker, SchemaError
from automation.engine.violations import Violation


@pytest.mark.parametrize(
    ("rule", "value", "sentence"),
    [
        ({"type": "integer"}, "5", '"x" must be a whole number, got "5".'),
        ({"type": ["string", "null"]}, 5, '"x" must be null or a text, got 5.'),
        ({"enum": ["debug", "info"]}, "inf", '"x" must be "debug" or "info", got "inf". Did you mean "info"?'),
        ({"enum": [1, None]}, 2, '"x" must be 1, null, got 2.'),
        ({"const": 1}, 2, '"x" must be 1, got 2.'),
        ({"minimum": 3}, 1, '"x" must be at least 3, got 1.'),
        ({"maximum": 3}, 4, '"x" must be at most 3, got 4.'),
        ({"exclusiveMinimum": 3}, 3, '"x" must be more than 3, got 3.'),
        ({"exclusiveMaximum": 3}, 3, '"x" must be less than 3, got 3.'),
        ({"multipleOf": 5}, 3, '"x" must be a multiple of 5, got 3.'),
        ({"minLength": 1}, "", '"x" must have at least 1 character, got 0.'),
        ({"maxLength": 2}, "abc", '"x" must have at most 2 characters, got 3.'),
        ({"minItems": 2}, [1], '"x" must have at least 2 items, got 1.'),
        ({"maxItems": 1}, [1, 2], '"x" must have at most 1 item, got 2.'),
        ({"uniqueItems": True}, [1, 1], '"x" must not hold the same item twice.'),
        ({"minProperties": 1}, {}, '"x" must have at least 1 field, got 0.'),
        ({"maxProperties": 1}, {"a": 1, "b": 1}, '"x" must have at most 1 field, got 2.'),
        ({"pattern": "^a$"}, "b", '"x" must match the pattern ^a$, got "b".'),
        ({"pattern": "^a$", "x-hint": "an a"}, "b", '"x" must be an a, got "b".'),
        ({"format": "email"}, "b", '"x" must be written as email, got "b".'),
        ({"not": {"const": 1}}, 1, '"x" has a value that is not allowed: 1.'),
        ({"contains": {"const": 1}}, [2], '"x" lacks an item of the kind wanted, got a list of 1 item.'),
        (False, 1, '"x" is not allowed here, got 1.'),
        ({"required": ["id"]}, {}, '"x" needs "id".'),
        (
            {"properties": {"size": True}, "additionalProperties": False},
            {"sise": 1},
            '"x.sise" is not a known field. Did you mean "size"?',
        ),
        (
            {"properties": {"size": True}, "additionalProperties": False},
            {"zebra": 1},
            '"x.zebra" is not a known field. Known: "size".',
        ),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, '"x" needs one of "a" or "b".'),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b", "c"]}]},
            {"a": 1, "b": 1, "c": 1},
            '"x" takes only one of "a" or "b with c", got "a" and "b with c".',
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"k": {"type": "string"}}}]},
            {"k": 5},
            '"x.k" must be a text, got 5.',
        ),
        ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 5, '"x" fits more than one of the allowed shapes, got 5.'),
        (
            {"anyOf": [{"const": 1}, {"const": 2}], "x-hint": "one or two"},
            3,
            '"x" must be one or two, got 3.',
        ),
        (
            {"type": ["string", "boolean"], "if": {"type": "string"}, "then": {"pattern": "^a$"}, "x-hint": "an a"},
            "b",
            '"x" must be an a, got "b".',
        ),
        (
            {"propertyNames": {"pattern": "^a$", "x-hint": "an a"}},
            {"b": 1},
            '"x" has a field name that is not allowed: it must be an a, got "b".',
        ),
    ],
)
def test_every_keyword_refuses_in_our_words(rule, value, sentence):
    checker = Checker({"properties": {"x": rule}})

    assert [violation.sentence() for violation in checker.violations({"x": value})] == [sentence]
    assert not checker.is_valid({"x": value})


def test_all_violations_come_at_once_with_their_paths():
    checker = Checker({"properties": {"a": {"type": "string"}, "b": {"items": {"minimum": 3}}}, "required": ["c"]})

    assert checker.violations({"a": 1, "b": [4, 2]}) == (
        Violation((), "required", 'needs "c"', missing="c"),
        Violation(("a",), "wrong_type", "must be a text, got 1"),
        Violation(("b", 1), "invalid_value", "must be at least 3, got 2"),
    )


def test_a_value_that_fits_has_no_violations():
    checker = Checker({"type": "object", "required": ["a"]})

    assert checker.is_valid({"a": 1})
    assert checker.violations({"a": 1}) == ()


def test_no_more_than_a_hundred_violations_are_listed():
    checker = Checker({"items": {"type": "string"}})

    assert len(checker.violations([1] * 5000)) == 100


def test_a_wrong_schema_is_refused_with_every_place():
    with pytest.raises(SchemaError) as refused:
        Checker({"minimum": "a", "properties": {"x": {"type": "strin"}}})

    assert [violation.sentence() for violation in refused.value.violations] == [
        '"properties.x.type" must be "array", "boolean", "integer", "null", "number", "object" or "string", '
        'got "strin". Did you mean "string"?',
        '"minimum" must be a number, got "a".',
    ]


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "(", "a{100000}{100000}"])
def test_patterns_outside_the_linear_subset_are_refused(pattern):
    with pytest.raises(SchemaError) as refused:
        Checker({"properties": {"x": {"pattern": pattern}}})

    assert [violation.path for violation in refused.value.violations] == [("properties", "x", "pattern")]


def test_a_pattern_that_would_take_for_ever_elsewhere_is_quick():
    checker = Checker({"pattern": "^(a+)+$"})
    began = time.process_time()

    assert not checker.is_valid("a" * 50_000 + "!")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:9/schema.json", "file:///etc/passwd", "other.json", "#/$defs/none"]
)
def test_references_to_anything_outside_are_refused_without_looking(target):
    with pytest.raises(SchemaError):
        Checker({"$ref": target})


def test_a_schema_that_refers_to_itself_is_harmless():
    assert Checker({"$ref": "#"}).is_valid(1)


def test_a_schema_nested_without_end_is_refused():
    schema: dict = {}
    for _ in range(3000):
        schema = {"not": schema}

    with pytest.raises(SchemaError, match="cannot be used as a JSON Schema"):
        Checker(schema)


@pytest.mark.parametrize("value", ["\ud800", {1: 2}])
def test_what_is_no_json_is_not_valid(value):
    checker = Checker({"type": ["string", "object"], "additionalProperties": {"maxLength": 1}, "maxLength": 1})

    assert not checker.is_valid(value)
    assert checker.violations(value)[0].code == "invalid_value"
