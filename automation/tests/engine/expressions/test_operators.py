"""Operators between JSON values: no silent conversion, no surprise."""

import pytest

from automation.engine.expressions import Budget, ExpressionError, render

LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 - 2 - 1", 4),
        ("7 / 2", 3.5),
        ("6 / 2", 3.0),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("7 % 3", 1),
        ("-7 % 3", 2),
        ("7.5 // 2", 3.0),
        ("- -3", 3),
        ("+3", 3),
        ("2 * -3", -6),
        ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]),
        ("'a' ~ 1 ~ null ~ true ~ [1] ~ 1.5", "a1true[1]1.5"),
        ("(1 + 1) ~ 'x'", "2x"),
        ("2 * 3 ~ 'x'", "6x"),
    ],
)
def test_arithmetic(source, value):
    result = render(f"{{{{ {source} }}}}", {})

    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 == 1.0", True),
        ("1 == true", False),
        ("0 == false", False),
        ("null == false", False),
        ("null == null", True),
        ("'1' == 1", False),
        ("'a' == 'a'", True),
        ("[1, [2]] == [1.0, [2]]", True),
        ("[1] == [true]", False),
        ("{'a': 1, 'b': [2]} == {'b': [2], 'a': 1}", True),
        ("{'a': 1} == {'b': 1}", False),
        ("{'a': 1} == [1]", False),
        ("[1] == [1, 2]", False),
        ("1 != 2", True),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("3 > 2 >= 2 == 2", True),
        ("'a' < 'b'", True),
        ("1 <= 1.5", True),
        ("2 in [1, 2.0]", True),
        ("true in [1]", False),
        ("'b' in 'abc'", True),
        ("'k' in {'k': null}", True),
        ("1 in {'1': 1}", False),
        ("3 not in [1, 2]", True),
        ("[1] in [[1]]", True),
    ],
)
def test_comparison(source, value):
    assert render(f"{{{{ {source} }}}}", {}) is value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("a and b", 0),
        ("b and a", 0),
        ("a or b", 1),
        ("b or 'x'", "x"),
        ("b or '' or []", []),
        ("not b", True),
        ("not a", False),
        ("a and 2 and 3", 3),
        ("'yes' if a else 'no'", "yes"),
        ("'yes' if b else 'no'", "no"),
        ("'yes' if b", None),
        ("1 if b else 2 if b else 3", 3),
        ("not a == 1", False),
        ("missing if b else a", 1),
        ("b and missing", 0),
        ("a or missing", 1),
    ],
)
def test_logic_gives_back_operands_and_reads_no_more_than_it_needs(source, value):
    result = render(f"{{{{ {source} }}}}", {"a": 1, "b": 0})

    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "1 + 'a'",
            '+ adds two numbers or joins two texts, got the number 1. Join anything as text with ~, or '
            'convert with |int or |float.',
        ),
        ("'5' - 1", "- needs numbers, got text '5'. Convert it with |int or |float."),
        ("true + 1", "+ needs numbers, got true."),
        ("null * 2", "* needs numbers, got null."),
        ("'ab' * 3", "* needs numbers, got text 'ab'. Convert it with |int or |float."),
        ("[0] * 3", "* needs numbers, got a list of 1 item."),
        ("'%d' % 3", "% needs numbers, got text '%d'. Convert it with |int or |float."),
        ("-'a'", "- needs numbers, got text 'a'. Convert it with |int or |float."),
        ("1 / 0", "/ cannot divide by zero, got the number 0. Guard it: {{ a / b if b else 0 }}."),
        ("1 // 0.0", "// cannot divide by zero, got the number 0.0. Guard it: {{ a / b if b else 0 }}."),
        ("1 % 0", "% cannot divide by zero, got the number 0. Guard it: {{ a / b if b else 0 }}."),
        (f"{LARGEST} + 1", "the result is beyond the whole numbers of 64 bits, got the number 9223372036854775808."),
        ("1e308 * 10", "the result is too large for a number."),
        ("1 < 'a'", "only two numbers or two texts have an order, got text 'a'. Convert one with |float or |string."),
        ("null < 1", "only two numbers or two texts have an order, got null. Convert one with |float or |string."),
        (
            '[1] < [2]',
            'only two numbers or two texts have an order, got a list of 1 item. Convert one with |float or '
            '|string.',
        ),
        ("1 in 5", "needs a list, an object or text to look in, got the number 5."),
        ("1 in 'a1'", "can look only for text in text, got the number 1. Convert it with |string."),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused_with_the_value(source, reason):
    with pytest.raises(ExpressionError) as caught:
        render(f"{{{{ {source} }}}}", {})

    assert str(caught.value).split(": ", 1)[1] == reason


def test_whole_numbers_that_json_brought_in_are_handed_on_but_not_calculated_with():
    scope = {"huge": 10**400}

    assert render("{{ huge }}", scope) == 10**400
    with pytest.raises(ExpressionError, match="got a whole number of 1329 bits"):
        render("{{ huge + 1.5 }}", scope)


def test_a_long_chain_is_no_deep_nesting():
    assert render(f"{{{{ {' + '.join(['1'] * 2000)} }}}}", {}) == 2000
    assert render(f"{{{{ {' or '.join(['0'] * 2000)} }}}}", {}) == 0


def test_comparing_deep_values_is_charged_per_part():
    scope = {"a": [[0] * 100] * 100, "b": [[0] * 100 for _ in range(100)]}

    assert render("{{ a == b }}", scope) is True
    with pytest.raises(ExpressionError, match="more than the 5000 operations"):
        render("{{ a == b }}", scope, Budget(operations=5000))
