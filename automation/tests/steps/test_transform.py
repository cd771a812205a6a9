"""transform: set and map."""

from automation.engine.kinds import Done
from automation.tests.steps.run_step import run_step


def test_set_keeps_the_types_of_whole_expressions():
    config = {"set": {"n": "{{ inputs.n }}", "text": "n={{ inputs.n }}", "deep": {"list": ["{{ inputs.n }}", 1]}}}

    assert run_step("transform", config, inputs={"n": 5}) == Done({"n": 5, "text": "n=5", "deep": {"list": [5, 1]}})


def test_set_of_nothing_is_an_empty_object():
    assert run_step("transform", {"set": {}}) == Done({})


def test_each_may_be_any_value():
    outcomes = [
        run_step("transform", {"items": [1, 2], "each": each}).output["items"] for each in ("{{ item }}", 7, None)
    ]

    assert outcomes == [[1, 2], [7, 7], [None, None]]


def test_each_reads_the_run_beside_the_item():
    config = {"items": "{{ inputs.rows }}", "each": "{{ index }}: {{ item.a }}{{ inputs.unit }}"}

    assert run_step("transform", config, inputs={"rows": [{"a": 1}, {"a": 2}], "unit": "kg"}) == Done(
        {"items": ["0: 1kg", "1: 2kg"], "count": 2}
    )


def test_no_items_are_no_items():
    assert run_step("transform", {"items": [], "each": "{{ item.x.y }}"}) == Done({"items": [], "count": 0})


def test_an_item_that_lacks_a_field_fails_the_step():
    outcome = run_step("transform", {"items": [{"a": 1}, {}], "each": {"b": "{{ item.a }}"}})

    assert (outcome.error.type, outcome.error.details["pointer"]) == ("expression", "/b")


def test_items_that_are_no_list_are_refused():
    outcome = run_step("transform", {"items": "{{ inputs.x }}", "each": 1}, inputs={"x": {"a": 1}})

    assert outcome.error.message == '"items" must be a list, got an object with 1 field.'


def test_a_thousand_items_stay_within_the_budget_of_one_step():
    rows = [{"id": n, "price": n} for n in range(1000)]
    config = {"items": "{{ inputs.rows }}", "each": {"id": "{{ item.id }}", "double": "{{ item.price * 2 }}"}}

    outcome = run_step("transform", config, inputs={"rows": rows})

    assert outcome.output["count"] == 1000
    assert outcome.output["items"][-1] == {"id": 999, "double": 1998}
