"""Values that are small in memory and huge as JSON are refused before anybody writes them."""

import orjson
import pytest

from automation.engine.plan import build_plan
from automation.engine.simulate import Setup, run_flow
from automation.engine.weight import (
    MOST_VALUE_BYTES,
    _Ceiling,
    is_too_heavy,
    limit_values,
    size_of,
    too_heavy,
    weight,
)
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


@pytest.mark.parametrize(
    "make",
    [
        lambda size: "x" * (size - 2),
        lambda size: "é" * ((size - 2) // 2) + "x" * (size % 2),
        lambda size: ["\x01" * ((size - 8) // 6), "x" * ((size - 8) % 6 + 1)],
        lambda size: [1] * ((size - 1) // 2) + [10] * ((size - 1) % 2),
    ],
    ids=["ascii", "two bytes", "escapes", "numbers"],
)
def test_a_value_exactly_at_the_limit_is_kept_and_one_byte_more_is_not(make):
    limit = 6001
    value = make(limit)

    assert len(orjson.dumps(value)) in (limit, limit + 1)
    assert is_too_heavy(value, len(orjson.dumps(value))) is False
    assert is_too_heavy(value, len(orjson.dumps(value)) - 1) is True


def test_the_refusal_names_the_actual_size_and_the_setting():
    value = "x" * (11 << 20)

    assert too_heavy("The output", size=size_of(value)) == (
        "The output is larger than 10 MiB as JSON: 11,534,338 bytes. Keep what later steps need, work in smaller parts, "
        "or raise BRAINOPS_LIMIT_VALUE_BYTES."
    )


def test_the_ceiling_is_the_installation_s_own(monkeypatch):
    monkeypatch.setattr(_Ceiling, "value_bytes", MOST_VALUE_BYTES)  # put back afterwards
    limit_values(2000)

    assert (is_too_heavy("x" * 1998), is_too_heavy("x" * 1999)) == (False, True)
    assert (
        ended({"set": {"text": "x" * 3000}})
        .error["message"]
        .startswith("The output is larger than 2,000 bytes as JSON: 3,011 bytes.")
    )


def ended(step, output=None):
    document = {"schema": 1, "steps": [{"id": "a", "uses": "transform", "with": step}]}
    plan = build_plan(document | ({"output": output} if output else {}), all_kinds())
    return run_flow(plan, Setup(inputs={"l": list(range(20_000))})).finished


def test_a_step_that_repeats_a_large_value_for_each_item_fails_with_the_limit():
    error = ended({"items": "{{ inputs.l }}", "each": "{{ inputs.l }}"}).error

    assert (error["type"], error["step"]) == ("value_too_large", "a")
    assert error["message"].startswith("The output is larger than 10 MiB as JSON: ")
    assert error["message"].endswith("or raise BRAINOPS_LIMIT_VALUE_BYTES.")


def test_templates_that_repeat_a_large_value_are_bounded_by_their_budget():
    many = ["{{ inputs.l }}"] * 400

    assert ended({"set": {"many": many}}).error["type"] == "expression"
    assert ended({"set": {}}, output=many).error["type"] == "output_expression"
