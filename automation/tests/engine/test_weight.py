"""Values that are small in memory and huge as JSON are refused before anybody writes them."""

import pytest

from automation.engine.plan import build_plan
from automation.engine.simulate import Setup, run_flow
from automation.engine.weight import weight
from automation.steps import all_kinds


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [
        ("abc", 5),
        ([1, 2], 14),  # 2 brackets, 2 separators, 2 numbers of 5
        ({"a": "b"}, 10),  # 1 key, its 4 signs, 2 braces, 3 of the text
        (None, 5),
    ],
)
def test_the_weight_is_about_the_bytes_of_the_json(value, bytes_):
    assert weight(value) == bytes_


def test_counting_stops_soon_after_the_limit():
    row = ["x" * 1000] * 1000

    assert 1_000_000 < weight([row] * 1_000_000, most=1_000_000) < 4_000_000


def ended(step, output=None):
    document = {"schema": 1, "steps": [{"id": "a", "uses": "transform", "with": step}]}
    plan = build_plan(document | ({"output": output} if output else {}), all_kinds())
    return run_flow(plan, Setup(inputs={"l": list(range(20_000))})).finished


def test_a_step_that_repeats_a_large_value_for_each_item_fails_with_the_limit():
    error = ended({"items": "{{ inputs.l }}", "each": "{{ inputs.l }}"}).error

    assert (error["type"], error["step"]) == ("value_too_large", "a")
    assert error["message"].startswith("The output is larger than 10 MiB as JSON.")


def test_templates_that_repeat_a_large_value_are_bounded_by_their_budget():
    many = ["{{ inputs.l }}"] * 400

    assert ended({"set": {"many": many}}).error["type"] == "expression"
    assert ended({"set": {}}, output=many).error["type"] == "output_expression"
