"""The published schema of documents."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from automation.engine import schema
from automation.engine.document.templates import ITEM_ROOTS
from automation.engine.document.unavailable import STEP_FIELDS
from automation.engine.durations import DURATION_PATTERN
from automation.engine.kinds import ErrorClass
from automation.engine.retry import RetryPolicy
from automation.engine.schema import document_checker, document_schema
from automation.tests.engine.test_document_shape import ORDERS

DEFINITIONS = document_schema()["$defs"]


def test_the_schema_is_the_file_and_a_valid_schema():
    text = Path(schema.__file__).with_name("workflow.schema.json").read_text(encoding="utf-8")

    assert json.loads(text) == document_schema()
    jsonschema_rs.meta.validate(document_schema())


def test_a_whole_document_fits():
    assert document_checker().violations(ORDERS) == ()


def test_every_container_kind_is_defined_from_the_first_day():
    nested = [{"id": "inner", "uses": "log"}]
    containers = [
        {"id": "g", "steps": nested},
        {"id": "a", "for_each": {"items": "{{ inputs.x }}", "label": "{{ item }}", "concurrency": 5, "on_item_error": "continue", "batch": 100},
         "steps": nested, "output": "{{ item }}"},
        {"id": "b", "for_each": {"items": [1, 2]}, "uses": "log", "with": {"message": "{{ item }}"}},
        {"id": "c", "while": {"when": "{{ true }}", "max_iterations": 10, "every": "5s"}, "steps": nested},
        {"id": "d", "try": {"catch": nested, "finally": nested}, "steps": nested},
        {"id": "e", "call": {"workflow": "billing", "version": "1.4.2", "inputs": {"x": 1}, "on_failure": "continue"}},
        {"id": "f", "call": {"workflow": "billing", "wait": False}},
    ]  # fmt: skip

    assert document_checker().violations({"schema": 1, "steps": containers}) == ()


def test_durations_are_the_same_in_the_schema_and_the_engine():
    assert DEFINITIONS["duration"]["pattern"] == DURATION_PATTERN


def test_the_declared_defaults_of_a_retry_are_those_of_the_engine():
    declared = {key: rule["default"] for key, rule in DEFINITIONS["retry"]["properties"].items()}

    assert RetryPolicy.read(declared) == RetryPolicy()


def test_the_retry_classes_are_those_of_the_engine_but_cancelled():
    listed = DEFINITIONS["retry"]["properties"]["errors"]["items"]["enum"]

    assert set(listed) == {one.value for one in ErrorClass} - {"cancelled"}


def test_what_is_refused_by_name_is_defined():
    assert STEP_FIELDS.keys() <= DEFINITIONS["step"]["properties"].keys()


@pytest.mark.parametrize(
    "name", ["step", "for_each", "while", "try", "call", "retry", "settings", "concurrency", "debounce"]
)
def test_every_object_is_closed_and_every_field_is_described(name):
    rule = DEFINITIONS[name]

    assert rule["additionalProperties"] is False
    for field, below in rule["properties"].items():
        assert "description" in below or "$ref" in below, field


def test_the_roots_of_loops_are_named_in_the_schema():
    assert all(root in DEFINITIONS["for_each"]["properties"]["items"]["description"] for root in ITEM_ROOTS)
