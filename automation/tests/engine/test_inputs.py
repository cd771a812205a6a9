"""The declared inputs of a workflow."""

from automation.engine.inputs import Inputs
from automation.engine.problem import Problem

SCHEMA = {
    "properties": {"order_id": {"type": "string"}, "limit": {"type": "integer", "default": 10}},
    "required": ["order_id"],
    "additionalProperties": False,
}


def test_defaults_fill_what_is_missing():
    assert Inputs(SCHEMA).complete({"order_id": "a"}) == {"order_id": "a", "limit": 10}


def test_what_is_given_stays_even_null():
    assert Inputs(SCHEMA).complete({"limit": None}) == {"limit": None}


def test_inputs_that_fit_have_no_problems():
    assert Inputs(SCHEMA).check({"order_id": "a", "limit": 3}) == ()
    assert Inputs({}).check({"anything": 1}) == ()


def test_everything_wrong_is_told_at_once():
    assert Inputs(SCHEMA).check({"limit": "x", "odrer_id": "a"}) == (
        Problem("required", 'Input "order_id" is required. Add it.', ""),
        Problem("wrong_type", 'Input "limit" must be a whole number, got "x".', "/limit"),
        Problem("unknown_field", 'Input "odrer_id" is not a known field. Did you mean "order_id"?', "/odrer_id"),
    )


def test_inputs_are_an_object():
    assert Inputs({}).check([1]) == (Problem("wrong_type", "The inputs must be an object, got a list of 1 item.", ""),)
    assert Inputs(SCHEMA).complete([1]) == [1]
