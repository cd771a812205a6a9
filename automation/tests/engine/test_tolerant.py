"""Tolerant schemas: templates stand for any value, everything written out is still checked."""

import pytest

from automation.engine.checker import Checker
from automation.engine.document.tolerant import config_checker, tolerant_root
from automation.tests.engine.samples import kind

TEMPLATE = "{{ inputs.x }}"


@pytest.mark.parametrize(
    ("schema", "value", "is_fine"),
    [
        ({"type": "integer"}, TEMPLATE, True),
        ({"type": "integer"}, "5", False),
        ({"type": "integer"}, f"about {TEMPLATE}", True),
        ({"enum": ["a"]}, TEMPLATE, True),
        ({"enum": ["a"]}, "b", False),
        ({"items": {"type": "integer"}, "maxItems": 2}, [1, TEMPLATE], True),
        ({"items": {"type": "integer"}, "maxItems": 2}, ["a", TEMPLATE], False),
        ({"items": {"type": "integer"}, "maxItems": 2}, [TEMPLATE, TEMPLATE, TEMPLATE], False),
        ({"prefixItems": [{"type": "integer"}, {"type": "null"}]}, [TEMPLATE, TEMPLATE], True),
        ({"prefixItems": [{"type": "integer"}, {"type": "null"}]}, [TEMPLATE, 1], False),
        ({"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"a": TEMPLATE}, True),
        ({"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {}, False),
        ({"additionalProperties": {"type": "integer"}}, {"a": TEMPLATE}, True),
        ({"additionalProperties": {"type": "integer"}}, {"a": "b"}, False),
        ({"patternProperties": {"^a": {"type": "integer"}}}, {"ab": TEMPLATE}, True),
        # a template may turn out to be any of the branches
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, TEMPLATE, True),
        ({"oneOf": [{"properties": {"a": {"type": "null"}}}, {"properties": {"a": {"const": 1}}}]}, {"a": TEMPLATE}, True),
        ({"oneOf": [{"properties": {"a": {"type": "null"}}}, {"properties": {"a": {"const": 1}}}]}, {"a": 2}, False),
        ({"oneOf": [{"type": "null"}], "anyOf": [{"type": "null"}], "allOf": [{"type": "null"}]}, None, True),
        ({"oneOf": [{"type": "null"}], "anyOf": [{"type": "null"}], "allOf": [{"type": "null"}]}, 1, False),
        # choices of fields do not depend on values
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": TEMPLATE, "b": TEMPLATE}, False),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": TEMPLATE}, True),
        # a template that decides an `if` decides it only when it is evaluated
        ({"if": {"properties": {"m": {"const": "GET"}}}, "else": {"required": ["body"]}}, {"m": TEMPLATE}, True),
        ({"if": {"properties": {"m": {"const": "POST"}}}, "then": {"required": ["body"]}}, {"m": "POST"}, False),
        ({"if": {"properties": {"m": {"const": "POST"}}}, "then": {"properties": {"b": {"type": "null"}}}},
         {"m": "POST", "b": TEMPLATE}, True),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, TEMPLATE, True),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, "x", False),
        ({"type": "string", "pattern": "^a$", "x-as-written": True}, TEMPLATE, False),
    ],
)  # fmt: skip
def test_a_template_may_stand_for_any_value(schema, value, is_fine):
    assert Checker(tolerant_root(schema)).is_valid(value) is is_fine


def test_the_checker_of_a_kind_is_compiled_once():
    one = kind("tolerant_sample")

    assert config_checker(one) is config_checker(one)


def test_another_kind_of_the_same_key_has_its_own_checker():
    first = kind("tolerant_sample", config_schema={"required": ["a"]})
    second = kind("tolerant_sample", config_schema={"required": ["b"]})

    assert config_checker(first).is_valid({"a": 1})
    assert not config_checker(second).is_valid({"a": 1})
    assert config_checker(first).is_valid({"a": 1})
