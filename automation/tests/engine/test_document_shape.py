"""Refused shapes: fields, types, sizes, inputs."""

import copy

import pytest

from automation.engine.document import Limits, check_document
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.samples import document, step

ORDERS = {
    "schema": 1,
    "inputs": {
        "type": "object",
        "properties": {"order_id": {"type": "string"}, "limit": {"type": "integer", "default": 1000}},
        "required": ["order_id"],
        "additionalProperties": False,
    },
    "steps": [
        {
            "id": "order",
            "name": "Read the order",
            "uses": "http.request",
            "with": {"method": "GET", "url": "https://shop.example/orders/{{ inputs.order_id }}"},
            "retry": {"max_attempts": 5, "backoff": "exponential", "initial": "2s", "max": "5m"},
            "timeout": "30s",
        },
        {
            "id": "large",
            "uses": "condition",
            "needs": ["order"],
            "with": {"when": "{{ steps.order.output.body.total > inputs.limit }}"},
        },
        {
            "id": "tell",
            "uses": "http.request",
            "needs": ["large.true"],
            "if": "{{ steps.large.output.result }}",
            "on_error": "continue",
            "with": {"method": "POST", "url": "https://chat.example/post", "json": {"text": "{{ run.id }}"}},
        },
        {
            "id": "note",
            "uses": "log",
            "needs": ["tell", "large.false"],
            "join": "any",
            "with": {"message": "Order {{ inputs.order_id }}"},
        },
    ],
    "output": "{{ steps.order.output.body }}",
    "settings": {"timeout": "1h", "checkpoint": "step"},
    "ui": {"positions": {"order": [0, 0]}},
}


def refusals(*steps, limits=None, **rest):
    return check_document(document(*steps, **rest), all_kinds(), limits=limits or Limits())


def test_a_whole_document_is_accepted_and_not_changed():
    before = copy.deepcopy(ORDERS)

    assert check_document(ORDERS, all_kinds()) == ()
    assert before == ORDERS


@pytest.mark.parametrize(
    ("value", "shown"), [([], "[]"), ("x", '"x"'), (None, "null"), (5, "5"), ([1], "a list of 1 item")]
)
def test_what_is_no_object_is_no_document(value, shown):
    message = f'A workflow document is an object with "schema" and "steps", got {shown}.'

    assert check_document(value, all_kinds()) == (Problem("wrong_type", message),)


def test_an_empty_document_is_told_what_it_needs():
    assert check_document({}, all_kinds()) == (
        Problem("required", 'The document needs "schema".'),
        Problem("required", 'The document needs "steps".'),
    )


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        ({"uses": 5}, "/steps/0/uses", 'Step "a": "uses" must be a text, got 5.'),
        ({"neds": []}, "/steps/0/neds", 'Step "a": "neds" is not a known field. Did you mean "needs"?'),
        ({"with": []}, "/steps/0/with", 'Step "a": "with" must be an object, got [].'),
        ({"needs": "b"}, "/steps/0/needs", 'Step "a": "needs" must be a list, got "b".'),
        ({"needs": ["b.c.d"]}, "/steps/0/needs/0", 'Step "a": "needs[0]" must be "step" or "step.port", got "b.c.d".'),
        (
            {"join": "some"},
            "/steps/0/join",
            'Step "a": "join" must be "all", "any" or a whole number from 1 on, got "some".',
        ),
        (
            {"join": True},
            "/steps/0/join",
            'Step "a": "join" must be "all", "any" or a whole number from 1 on, got true.',
        ),
        ({"if": 5}, "/steps/0/if", 'Step "a": "if" must be true or false or a text, got 5.'),
        (
            {"timeout": "soon"},
            "/steps/0/timeout",
            'Step "a": "timeout" must be a duration such as "30s", "5m", "2d" or "1h30m", got "soon".',
        ),
        ({"timeout": "0s"}, "/steps/0/timeout", 'Step "a": "timeout" must be more than 0, got 0s.'),
        ({"timeout": "31d"}, "/steps/0/timeout", 'Step "a": "timeout" must be at most 30d, got 31d.'),
        (
            {"retry": {"max_attempts": 0}},
            "/steps/0/retry/max_attempts",
            'Step "a": "retry.max_attempts" must be at least 1, got 0.',
        ),
        (
            {"retry": {"errors": ["transien"]}},
            "/steps/0/retry/errors/0",
            'Step "a": "retry.errors[0]" must be "transient", "rate_limit", "timeout", "auth", "user" or "internal", '
            'got "transien". Did you mean "transient"?',
        ),
        (
            {"retry": {"initial": "2m", "max": "1m"}},
            "/steps/0/retry/max",
            'Step "a": "retry.max" must be at least "retry.initial" (2m), got 1m.',
        ),
        (
            {"on_error": "ignore"},
            "/steps/0/on_error",
            'Step "a": "on_error" must be "fail" or "continue", got "ignore".',
        ),
    ],
)
def test_fields_of_a_step_are_checked(change, pointer, message):
    found = [(problem.pointer, problem.message) for problem in refusals(step("a", **change))]

    assert found == [(pointer, message)]


def test_a_first_retry_delay_beyond_the_default_cap_raises_the_cap():
    assert refusals(step("a", retry={"initial": "2m"})) == ()


@pytest.mark.parametrize("name", ["my-step", "1st", "a b", "_x", "", "a.b", "é", "x" * 64])
def test_ids_are_words_that_expressions_can_name(name):
    (problem,) = [problem for problem in refusals(step(name)) if problem.pointer == "/steps/0/id"]

    assert problem.message.endswith(
        f'"id" must be a letter followed by letters, digits or underscores, at most 63 in all, got "{name}".'
    )


def test_a_step_without_an_id_is_named_by_its_place():
    assert refusals({"uses": "log", "with": {"message": "x"}}) == (
        Problem("required", 'The step at /steps/0 needs "id".', "/steps/0"),
    )


def test_a_step_is_exactly_one_thing():
    assert refusals({"id": "a"}) == (Problem("one_of", 'Step "a" needs one of "uses", "steps" or "call".', "/steps/0"),)


def test_inputs_are_a_json_schema_of_an_object():
    assert refusals(step("a"), inputs={"type": "array", "properties": {"x": {"type": "strin"}}}) == (
        Problem(
            "invalid_schema",
            'inputs: "properties.x.type" must be "array", "boolean", "integer", "null", "number", "object" or '
            '"string", got "strin". Did you mean "string"?',
            "/inputs/properties/x/type",
        ),
        Problem(
            "invalid_schema", 'inputs: "type" must be "object": a run is started with named inputs.', "/inputs/type"
        ),
    )


def test_a_remote_reference_in_inputs_is_refused():
    (problem,) = refusals(step("a"), inputs={"properties": {"x": {"$ref": "http://127.0.0.1:9/x"}}})

    assert problem.code == "invalid_schema"
    assert problem.pointer.startswith("/inputs")


def test_an_inputs_schema_has_a_size():
    (problem,) = refusals(step("a"), inputs={"description": "x" * 70_000})

    assert problem.message == ("inputs: the schema has 70019 bytes; at most 65536 are allowed. Describe fewer fields.")


def test_the_number_of_steps_is_limited():
    assert refusals(*[step(f"s{n}") for n in range(4)], limits=Limits(steps=3)) == (
        Problem("too_many_steps", "The document has 4 steps; at most 3 are allowed. Split the workflow.", "/steps"),
    )


def test_the_number_of_expressions_is_limited():
    config = {"set": {"list": ["{{ inputs.x }}"] * 4, "plain": ["x"] * 9}}

    assert refusals(step("a", **{"with": config}), limits=Limits(expressions=3)) == (
        Problem(
            "too_many_expressions",
            "The document has 4 texts with expressions; at most 3 are allowed. Go through lists with a kind.",
        ),
    )


def test_nested_steps_count_and_their_depth_is_limited():
    inner = step("s0")
    for n in range(1, 4):
        inner = {"id": f"s{n}", "for_each": {"items": [1]}, "steps": [inner]}

    problems = refusals(inner, limits=Limits(steps=3, depth=2))

    assert [(problem.code, problem.pointer) for problem in problems] == [
        ("too_many_steps", "/steps"),
        ("too_deep", "/steps/0/steps/0/steps/0/steps"),
    ]


def test_a_document_nested_without_end_is_refused_whole():
    value: dict = {}
    for _ in range(5000):
        value = {"a": value}

    assert refusals(step("a"), output=value) == (
        Problem("too_deep", "The document is nested deeper than 100 levels. Flatten it."),
    )


def test_no_more_problems_are_told_than_the_limit():
    problems = refusals(*[step(f"s{n}", uses=5) for n in range(10)], limits=Limits(problems=3))

    assert [problem.pointer for problem in problems] == ["/steps/0/uses", "/steps/1/uses", "/steps/2/uses", ""]
    assert problems[-1].message == "There are more. Repair these and check again."


def test_all_refusals_come_at_once_in_the_order_of_the_document():
    problems = refusals(
        step("a", "b", uses="lgo"),
        step("b", "a", timeout="soon", **{"with": {"set": {"x": "{{ steps.zebra.output }}"}}}),
        inputs={"type": "array"},
        output="{{ 1 + }}",
        extra=1,
    )

    assert [(problem.pointer, problem.code) for problem in problems] == [
        ("/extra", "unknown_field"),
        ("/inputs/type", "invalid_schema"),
        ("/output", "expression"),
        ("/steps/0/needs/0", "cycle"),
        ("/steps/0/uses", "unknown_kind"),
        ("/steps/1/timeout", "invalid_value"),
        ("/steps/1/with/set/x", "unknown_reference"),
    ]
