"""How messages show values and suggest what was meant."""

import pytest

from automation.engine.wording import counted, did_you_mean, ended, nearest, one_of, shown, type_words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        ("a", '"a"'),
        (None, "null"),
        (True, "true"),
        ([], "[]"),
        ({}, "{}"),
        ([1], "a list of 1 item"),
        ({"a": 1, "b": 2}, "an object with 2 fields"),
        ("é", '"é"'),
        ("x" * 100, '"' + "x" * 78 + "…"),
    ],
)
def test_a_value_is_shown_short(value, text):
    assert shown(value) == text


def test_the_nearest_choice_is_suggested():
    assert did_you_mean("stesp", ["inputs", "steps"]) == ' Did you mean "steps"?'


def test_case_and_hyphens_do_not_hide_a_choice():
    assert did_you_mean("Max-Attempts", ["max_attempts"]) == ' Did you mean "max_attempts"?'


@pytest.mark.parametrize("slip", ["step_42_nmae", "stpe_42_name", "step_42_nam", "tep_42_name", "step_42name"])
def test_the_nearest_of_very_many_choices_is_found(slip):
    assert nearest(slip, [f"step_{n}_name" for n in range(500)]) == "step_42_name"


def test_nothing_is_suggested_when_nothing_is_near():
    assert did_you_mean("zebra", ["inputs", "steps"]) == ""


def test_choices_are_listed_with_a_last_word():
    assert one_of(["a", "b", "c"]) == '"a", "b" or "c"'
    assert one_of(["a", "b"], last="and") == '"a" and "b"'
    assert one_of(["a"]) == '"a"'


def test_types_are_said_in_words():
    assert type_words(["string"]) == "a text"
    assert type_words(["integer", "null"]) == "a whole number or null"


def test_counts_and_full_stops_are_grammatical():
    assert counted(1, "step") == "1 step"
    assert counted(0, "step") == "0 steps"
    assert ended("It is so") == "It is so."
    assert ended("Is it so?") == "Is it so?"
