"""What expressions refer to, checked before anything runs."""

import pytest

from automation.engine.document import check_document
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.samples import branch, document, step

INPUTS = {"type": "object", "properties": {"order_id": {"type": "string"}}, "additionalProperties": False}


def refusals(*steps, **rest):
    return check_document(document(*steps, **rest), all_kinds())


def reading(expression, *needs, name="tell", **rest):
    return step(name, *needs, **{"with": {"set": {"x": expression}}, **rest})


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("{{ steps.ordr.output }}", '"steps.ordr" names no step of this document. Did you mean "order"?'),
        (
            "{{ steps.order.outptu }}",
            '"steps.order" has "output", "status" and "error", not "outptu". Did you mean "output"?',
        ),
        ("{{ steps }}", '"steps" alone is not a value; name one step as in steps.order.output.'),
        (
            "{{ steps[inputs.order_id].output }}",
            '"steps" alone is not a value; name one step as in steps.order.output.',
        ),
        ("{{ steps.tell.output }}", '"steps.tell" is the step itself, which has no output yet.'),
        ("{{ inputs.orderid }}", '"inputs.orderid" is not declared. Did you mean "order_id"?'),
        ("{{ inputs.zebra }}", '"inputs.zebra" is not declared. Declare it under inputs.properties.'),
        ("{{ run.nr }}", '"run" has no field "nr".'),
        ("{{ run.versoin }}", '"run" has no field "versoin". Did you mean "version"?'),
        ("{{ input.order_id }}", '"input" is unknown. Did you mean "inputs"?'),
        ("{{ order.body }}", '"order" is unknown. Did you mean "steps.order.output"?'),
        ("{{ order_id }}", '"order_id" is unknown. Did you mean "inputs.order_id"?'),
        ("{{ zebra }}", '"zebra" is unknown. Expressions know "inputs", "trigger", "steps", "run" and "vars".'),
        (
            "{{ item.id }}",
            '"item" exists only inside of "for_each" and "while", and where a kind goes through a list: '
            'in "each" or "where".',
        ),
        (
            "{{ error.type }}",
            '"error" exists only in the steps of "catch" and "finally". Read steps.<id>.error instead.',
        ),
        (
            "{{ secrets.token }}",
            "secrets cannot be read here. They go only into the inputs of connector steps that take them, such as the "
            "headers of http.request.",
        ),
        ("{{ vars }}", '"vars" alone is not a value; name one variable as in vars.base_url.'),
        ("{{ vars[inputs.order_id] }}", '"vars" alone is not a value; name one variable as in vars.base_url.'),
        ("{{ steps.large.output.prt }}", '"steps.large.output" has no field "prt". Did you mean "port"?'),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused_with_the_way_out(expression, message):
    problems = refusals(step("order"), branch("large", "order"), reading(expression, "large"), inputs=INPUTS)

    assert [problem.pointer for problem in problems] == ["/steps/2/with/set/x"]
    assert problems[0].message.startswith(f'Step "tell": {message}')


@pytest.mark.parametrize(
    "expression",
    [
        "{{ steps.order.output.any.thing[0] }}",
        "{{ steps.order.status }}",
        "{{ steps.large.output.port }}",
        "{{ inputs.order_id }}",
        "{{ trigger.body.x }}",
        "{{ run.id }} {{ run.number }} {{ run.workflow }} {{ run.version }} {{ run.started_at }}",
        "{{ run.attempt }} {{ run.mode }}",
        "{{ vars.shop.url }} {{ vars.lines | length }} {{ vars.table[inputs.order_id] }}",
    ],
)
def test_a_reference_to_what_is_there_is_accepted(expression):
    assert refusals(step("order"), branch("large", "order"), reading(expression, "large"), inputs=INPUTS) == ()


def test_a_step_that_need_not_be_finished_cannot_be_read():
    (problem,) = refusals(step("order"), reading("{{ steps.order.output }}"))

    assert problem == Problem(
        "not_an_ancestor",
        'Step "tell": "steps.order" need not be finished by then. Add "order" to the needs of "tell".',
        "/steps/1/with/set/x",
    )


def test_a_step_that_runs_later_cannot_be_read():
    (problem,) = refusals(reading("{{ steps.last.output }}"), step("last", "tell"))

    assert problem.message == ('Step "tell": "steps.last" runs after this step. Only steps it waits for can be read.')


def test_every_step_on_the_way_can_be_read():
    assert refusals(step("a"), step("b", "a"), step("c", "b"), reading("{{ steps.a.output }}", "c")) == ()


def test_the_output_may_read_every_step():
    assert refusals(step("a"), step("b"), output={"a": "{{ steps.a.output }}", "b": "{{ steps.b.output }}"}) == ()


def test_references_are_checked_in_every_place_that_is_evaluated():
    config = {"items": "{{ steps.x1.output }}", "each": {"deep": ["{{ steps.x2.output }}"]}}

    problems = refusals(
        step("a", uses="transform", **{"with": config, "if": "{{ steps.x3.output }}"}),
        branch("b", **{"with": {"cases": [{"port": "p", "when": "{{ steps.x4.output }}"}]}}),
        output=["{{ steps.x5.output }}"],
    )

    assert [problem.pointer for problem in problems] == [
        "/output/0",
        "/steps/0/if",
        "/steps/0/with/each/deep/0",
        "/steps/0/with/items",
        "/steps/1/with/cases/0/when",
    ]


def test_item_and_index_exist_where_a_list_is_gone_through():
    each = {"items": [1], "each": "{{ item }} {{ index }}"}
    where = {"items": [1], "where": "{{ item > index }}"}

    assert refusals(step("a", **{"with": each}), step("b", uses="filter", **{"with": where})) == ()


def test_a_condition_has_no_item():
    (problem,) = refusals(branch("a", when="{{ item }}"))

    assert problem.pointer == "/steps/0/with/when"


def test_undeclared_inputs_may_be_read_when_the_schema_is_open():
    open_inputs = {"properties": {"order_id": {}}}

    assert refusals(reading("{{ inputs.more }}"), inputs=open_inputs) == ()
    assert refusals(reading("{{ inputs.more }}")) == ()


def test_the_error_of_a_step_that_may_fail_is_part_of_its_output():
    risky = step("risky", uses="filter", on_error="continue", **{"with": {"items": [], "where": "{{ true }}"}})

    assert refusals(risky, reading("{{ steps.risky.output.error.message }}", "risky")) == ()


def test_an_expression_that_cannot_be_read_is_told_with_its_position():
    (problem,) = refusals(reading("{{ inputs.a ++ }}"))

    assert (problem.code, problem.pointer) == ("expression", "/steps/0/with/set/x")
    assert problem.message.startswith('Step "tell": Expression "{{ inputs.a ++ }}" at position 1')


def test_every_broken_expression_is_told():
    problems = refusals(reading("{{ 1 + }}"), reading("{{ nope( }}", name="b"), output={"a": "{{ ) }}"})

    assert [problem.pointer for problem in problems] == ["/output/a", "/steps/0/with/set/x", "/steps/1/with/set/x"]


def test_an_expression_in_a_key_is_refused():
    (problem,) = refusals(step("a", **{"with": {"set": {"{{ inputs.k }}": 1}}}))

    assert problem.code == "expression"


def test_nested_steps_see_what_their_container_waits_for():
    loop = {
        "id": "loop",
        "needs": ["a"],
        "for_each": {"items": [1]},
        "steps": [reading("{{ steps.a.output }} {{ item }}")],
    }

    problems = refusals(step("a"), loop, reading("{{ steps.tell.output }}", "loop", name="after"))

    assert [(p.code, p.pointer) for p in problems if p.code != "not_available"] == [
        ("not_an_ancestor", "/steps/2/with/set/x")
    ]
    assert problems[-1].message == 'Step "after": "steps.tell" is inside "loop". From outside read "steps.loop.output".'
