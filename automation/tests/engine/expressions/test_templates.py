"""A template is one expression that keeps its JSON type, or text with expressions in it."""

import pytest

from automation.engine.expressions import ExpressionError, compile_template, references, render

SCOPE = {"a": 1, "b": [1, 2], "t": True, "n": None, "f": 2.5, "o": {"k": ["é", None]}, "s": "text"}


@pytest.mark.parametrize(("source", "value"), [(f"{{{{ {name} }}}}", value) for name, value in SCOPE.items()])
def test_a_single_expression_keeps_its_json_type(source, value):
    result = render(source, SCOPE)

    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain { text } }} with # % signs", "plain { text } }} with # % signs"),
        ("a={{ a }}", "a=1"),
        (" {{ a }}", " 1"),
        ("{{ a }}\n", "1\n"),
        ("{{ a }}{{ a }}", "11"),
        ("{{ t }}/{{ n }}/{{ f }}/{{ s }}", "true//2.5/text"),
        ("list {{ b }}, object {{ o }}", 'list [1,2], object {"k":["é",null]}'),
        ("{{ 1e22 }} {{ 0.1 + 0.2 }} {{ 3.0 }} {{ -0.0 }}", "1e+22 0.30000000000000004 3.0 -0.0"),
        ("line\r\n{{ a }}\r\n", "line\r\n1\r\n"),
        ('{"a": {"b": {{ a }}}}', '{"a": {"b": 1}}'),
        ("{{ '{{' }} {{ '}}' }} {{ '{%' }}", "{{ }} {%"),
        ("{{ {'k': {'l': a}} }}!", '{"k":{"l":1}}!'),
        ("${{ a }}", "$1"),
        ("日本 {{ 'é' ~ 'ü' }}", "日本 éü"),
    ],
)
def test_anything_else_becomes_text(source, text):
    assert render(source, SCOPE) == text


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (r"{{ 'a\nb\t\\ \' \" \/ \u00e9\x41 \d' }}", "a\nb\t\\ ' \" / éA \\d"),
        (r"{{ '\ud83d\ude00' }}", "😀"),
        ("{{ 'one' ' and ' \"two\" }}", "one and two"),
        ("{{ 1_000_000 }}", 1_000_000),
        ("{{ 9223372036854775807 }}", 2**63 - 1),
        ("{{ 2.5e-3 }}", 0.0025),
        ("{{ 1E3 }}", 1000.0),
        ("{{ [true, True, false, none, None, null] }}", [True, True, False, None, None, None]),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ (1) }}", 1),
        ("{{ [1, 2,] }}", [1, 2]),
        ("{{ {} }}", {}),
        ("{{ {s: 1, 'b' ~ a: 2} }}", {"text": 1, "b1": 2}),
        ("{{a}}", 1),
    ],
)
def test_literals(source, value):
    assert render(source, SCOPE) == value


@pytest.mark.parametrize(
    ("source", "position", "reason"),
    [
        ("{{ }}", 2, "there is nothing between {{ and }}. Write a path."),
        ("ab {{ a", 3, "{{ is not closed. Add }} or write {{ '{{' }}."),
        ("{{ 'a }}", 3, "the text that begins with ' is not closed."),
        ("{{ (a }}", 6, "unexpected end of the expression, expected ')'."),
        ("{{ [a }}", 6, "unexpected end of the expression, expected ','."),
        ("{{ a b }}", 5, "expected an operator or }}, got 'b'."),
        ("{{ a + }}", 7, "unexpected 'end of the expression'."),
        ("{{ a) }}", 4, "expected an operator or }}, got ')'."),
        ("{{ a and }}", 9, "unexpected 'end of the expression'."),
        ("{{ if }}", 3, '"if" is not a value.'),
        ("{{ a || b }}", 5, '|| has no meaning here. Write "or".'),
        ("{{ a && b }}", 5, '&& has no meaning here. Write "and".'),
        ("{{ !a }}", 3, '! has no meaning here. Write "not".'),
        ("{{ a === 1 }}", 5, "=== has no meaning here. Write ==."),
        ("{{ a ? 1 : 2 }}", 5, '? has no meaning here. Write "a if condition else b".'),
        ("{{ $json.a }}", 3, "$ has no meaning here. Names have no $."),
        (
            "{{ b => 1 }}",
            5,
            "=> has no meaning here. Functions do not exist here; use a filter such as |map or |selectattr.",
        ),
        ("{{ `a` }}", 3, "` has no meaning here. Put text between ' or \"."),
        ("{{ a; b }}", 4, "; has no meaning here. Only one expression fits in {{ }}."),
        ("{{ a @ b }}", 5, "'@' has no meaning here."),
        ("{{ ² }}", 3, "'²' is not a name."),
        ("{{ 007 }}", 3, "'0' has no meaning here."),
        ("{{ 99999999999999999999 }}", 3, "the number is beyond the whole numbers of 64 bits. Write it as text."),
        ("{{ 1e999 }}", 3, "the number is too large."),
        (r"{{ '\ud800' }}", 3, "the text has half of a surrogate pair."),
        (r"{{ 'a\x00' }}", 3, "the text has the character U+0000, which no database keeps."),
        (
            "{{- a }}",
            2,
            "{{- and -}} would trim the text around, which does not exist here. "
            "Put a space before a minus sign: {{ -1 }}.",
        ),
        (
            "{{ a -}}",
            5,
            "{{- and -}} would trim the text around, which does not exist here. "
            "Put a space before a minus sign: {{ -1 }}.",
        ),
        ("{{ a ** 2 }}", 3, "** does not exist here. Multiply with *."),
        ("{{ a = 2 }}", 5, "expected an operator or }}, got '='."),
        ("{{ a, b }}", 4, "expected an operator or }}, got ','."),
        ("{{ {1: 2} }}", 4, "a key of an object is text, got the number 1. Convert it with |string."),
        (
            "x {% if a %}",
            2,
            "{% begins one of Jinja's statements, which do not exist here. "
            "Use one expression in {{ }}; write {{ '{%' }} for the characters themselves.",
        ),
        (
            "{{ a }} {# note #}",
            8,
            "{# begins one of Jinja's comments, which do not exist here. "
            "Use one expression in {{ }}; write {{ '{#' }} for the characters themselves.",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_position_and_the_way_out(source, position, reason):
    with pytest.raises(ExpressionError) as caught:
        render(source, SCOPE)

    assert str(caught.value) == f'Expression "{source}" at position {position}: {reason}'
    assert caught.value.position == position


def test_a_text_without_expressions_is_constant():
    template = compile_template("plain")

    assert (template.is_constant, template.is_single, template.evaluate({})) == (True, False, "plain")


def test_a_text_with_expressions_is_not_constant_even_if_it_reads_nothing():
    template = compile_template("{{ 1 }}")

    assert (template.is_constant, template.is_single, template.references) == (False, True, frozenset())


def test_the_same_source_is_compiled_once():
    assert compile_template("{{ a.b.once }}") is compile_template("{{ a.b.once }}")


def test_references_of_a_source():
    assert references("{{ a.b }} {{ c }}") == {("a", "b"), ("c",)}


def test_a_path_hands_out_the_value_itself_and_copies_nothing():
    assert render("{{ o }}", SCOPE) is SCOPE["o"]


def test_a_list_written_out_is_a_new_list_each_time():
    template = compile_template("{{ [1, 2] }}")

    assert template.evaluate({}) is not template.evaluate({})
