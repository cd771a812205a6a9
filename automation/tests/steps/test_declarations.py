"""Every kind keeps the contract: declared in full, its examples run, its documents fit."""

import json
import re

import pytest

from automation.engine.catalogue import describe
from automation.engine.checker import Checker
from automation.engine.document import check_document
from automation.engine.document.tolerant import tolerant_root
from automation.engine.kinds import Done, Fail, Sleep
from automation.steps import all_kinds
from automation.tests.steps.run_step import run_step

KINDS = all_kinds()
EVERY_KIND = [pytest.param(kind, id=kind.key) for kind in KINDS.values()]
EXAMPLES = [
    pytest.param(kind, example, id=f"{kind.key}: {example.title}")
    for kind in KINDS.values()
    for example in kind.examples
]


def test_the_kinds_of_this_folder_and_of_the_connectors_are_found_in_order():
    assert list(KINDS) == sorted(KINDS)
    assert {"condition", "delay", "fail", "filter", "log", "respond", "transform"} <= KINDS.keys()
    assert "http.request" in KINDS


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_says_what_it_is(kind):
    assert kind.title
    assert kind.description.endswith(".")
    assert re.fullmatch("[a-z0-9_]+", kind.icon)
    assert kind.examples


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_field_of_a_configuration_has_a_title_and_a_description(kind):
    assert kind.config_schema["additionalProperties"] is False
    for name, field in kind.config_schema["properties"].items():
        assert field.get("title"), name
        assert field.get("description"), name


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_examples_of_a_field_fit_the_field(kind):
    for name, field in kind.config_schema["properties"].items():
        checker = Checker(tolerant_root({**field, "$defs": kind.config_schema.get("$defs", {})}))
        for example in field.get("examples", ()):
            assert checker.is_valid(example), (name, example)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_lazy_keys_are_fields_of_the_configuration(kind):
    assert kind.lazy <= kind.config_schema["properties"].keys()


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_every_example_is_a_document_without_problems(kind, example):
    inputs = {"properties": {name: {} for name in example.scope.get("inputs", {})}, "additionalProperties": False}
    steps = [{"id": "example", "uses": kind.key, "with": dict(example.config)}]

    assert check_document({"schema": 1, "inputs": inputs, "steps": steps}, KINDS) == ()


@pytest.fixture(autouse=True)
def _code_may_run(settings):
    settings.BRAINOPS_CODE_STEPS = True


# The others need the outside world: their connector replays them against recordings.
@pytest.mark.parametrize(("kind", "example"), [one for one in EXAMPLES if one.values[1].expect is not None])
def test_every_example_has_the_outcome_it_declares(kind, example):
    assert run_step(kind.key, dict(example.config), **example.scope) == example.expect


@pytest.mark.parametrize(
    ("kind", "example"), [one for one in EXAMPLES if isinstance(one.values[1].expect, Done | Sleep)]
)
def test_the_output_of_every_example_fits_the_declared_schema(kind, example):
    assert Checker(kind.output_schema).violations(example.expect.output) == ()


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.effect.is_write])
def test_every_write_can_be_simulated(kind):
    assert kind.simulate is not None


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_catalogue_describes_every_kind_as_plain_json(kind):
    said = describe(kind)

    assert json.loads(json.dumps(said)) == said
    assert said["key"] == kind.key
    assert [example["title"] for example in said["examples"]] == [example.title for example in kind.examples]


def test_the_catalogue_shows_ports_and_results():
    said = describe(KINDS["condition"])

    assert said["ports"] == ["true", "false"]
    assert said["examples"][1]["ports"] == ["gold", "business", "others"]
    assert said["examples"][0]["result"] == {
        "status": "succeeded",
        "output": {"result": True, "port": "true"},
        "port": "true",
    }
    assert describe(KINDS["delay"])["examples"][0]["result"]["status"] == "waiting"
    assert describe(KINDS["fail"])["examples"][0]["result"]["error"] == {
        "type": "no_address",
        "message": "Order 7 has no address.",
    }


def test_an_example_that_fails_is_a_failure_of_class_user():
    failures = [
        example.expect for kind in KINDS.values() for example in kind.examples if isinstance(example.expect, Fail)
    ]

    assert {failure.error.error_class.value for failure in failures} == {"user"}
