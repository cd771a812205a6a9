"""What code gives back, what it prints and what it raises."""

import pytest

from automation.sandbox.pool import Answer


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("inputs['n'] + 1", 5),
        ("result = {'n': inputs['n']}", {"n": 4}),
        ("result = 1\n[2]", [2]),  # the last line wins
        ("x = 1", None),
        ("(1, 'é', 2.5, True, None)", [1, "é", 2.5, True, None]),
        ("def twice(x):\n    return 2 * x\ntwice(inputs['n'])", 8),
        (
            "import json, re, math\n[json.loads('[1]'), re.findall('a.', 'abac'), math.floor(2.7)]",
            [[1], ["ab", "ac"], 2],
        ),
        ("-9223372036854775808", -9223372036854775808),
        ("18446744073709551615", 18446744073709551615),
        ("'{{ not.a.template }}'", "{{ not.a.template }}"),
    ],
)
def test_the_output_is_the_last_value_or_the_variable_result(run, code, output):
    assert run(code, {"n": 4}) == Answer(output)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("float('nan')", "output is nan, which JSON cannot say. Use None or a text."),
        ("[1, float('-inf')]", "output[1] is -inf, which JSON cannot say. Use None or a text."),
        ("2 ** 64", "output is an integer beyond 64 bits, which JSON readers round. Use str(…)."),
        ("{'a': {1, 2}}", "output.a is a set, which JSON does not know. Make it a list: sorted(…) or list(…)."),
        ("{1: 2}", "output has the key '1', an int; keys of JSON are texts. Use str(…)."),
        (
            "b'a'",
            "output is a bytes, which JSON does not know. Make it text: .decode() or base64.b64encode(…).decode().",
        ),
        ("'a\\x00b'", "output holds a NUL character, which cannot be stored. Remove it."),
        (
            "import datetime\ndatetime.date(2026, 1, 2)",
            "output is a date, which JSON does not know. Make it text: .isoformat().",
        ),
        (
            "from decimal import Decimal\nDecimal('1.5')",
            "output is a Decimal, which JSON does not know. Make it text or a number: str(…) or float(…).",
        ),
        (
            "class Order:\n    pass\n[Order()]",
            "output[0] is an object of the class 'Order'; JSON knows dicts and lists. Give back a dict.",
        ),
    ],
)
def test_what_is_no_json_is_refused_by_place(run, code, message):
    assert run(code).error == {"type": "code_output", "message": message}


def test_an_output_that_is_nested_too_deep_is_refused(run):
    error = run("x = []\nfor _ in range(100_000):\n    x = [x]\nx").error

    assert error["message"].startswith("The output is nested too deep, or holds itself, at output[0][0]")
    assert run("x = 1\nfor _ in range(64):\n    x = [x]\nx").error is None


def test_what_is_printed_comes_beside_the_output(run):
    assert run("print('one')\nprint('two', 3)\n4") == Answer(4, printed="one\ntwo 3\n", printed_bytes=10)


def test_what_is_printed_is_cut_and_counted(run):
    answer = run("for _ in range(10_000):\n    print('x' * 99)")

    assert (len(answer.printed), answer.printed_bytes) == (1000, 1_000_000)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (
            "def f(x):\n    return 1 / x\n\nf(0)",
            {
                "type": "ZeroDivisionError",
                "message": "division by zero",
                "lines": [{"line": 4, "in": "<module>"}, {"line": 2, "in": "f"}],
            },
        ),
        (
            "x = 1\ny = = 2",
            {"type": "SyntaxError", "message": "Expected an expression", "lines": [{"line": 2, "in": "<module>"}]},
        ),
        (
            "raise ValueError('no such order')",
            {"type": "ValueError", "message": "no such order", "lines": [{"line": 1, "in": "<module>"}]},
        ),
    ],
)
def test_what_the_code_raises_is_told_with_its_lines(run, code, error):
    assert run(code).error == error


def test_what_was_printed_before_an_error_is_kept(run):
    answer = run("print('so far')\n1 / 0")

    assert (answer.printed, answer.error["type"]) == ("so far\n", "ZeroDivisionError")


def test_nothing_of_one_call_is_left_for_the_next(run):
    run("secret = 'of one workspace'\nresult = 1")

    assert run("secret").error["message"] == "name 'secret' is not defined"
    assert run("None").output is None
