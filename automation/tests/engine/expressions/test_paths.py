"""Paths reach keys and items of JSON values, and nothing else."""

import pytest

from automation.engine.expressions import ExpressionError, compile_template, render

ORDER = {"body": {"total": 1200, "first name": "Ada", "lines": [{"sku": "a"}, {"sku": "b"}, {"sku": "c"}]}}
SCOPE = {"steps": {"order": {"output": ORDER}}, "inputs": {"key": "total", "at": -1, "nothing": None, "name": "Ada"}}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ inputs }}", SCOPE["inputs"]),
        ("{{ inputs.key }}", "total"),
        ("{{ inputs.nothing }}", None),
        ("{{ steps.order.output.body.total }}", 1200),
        ("{{ steps.order.output.body['first name'] }}", "Ada"),
        ('{{ steps["order"]["output"].body.total }}', 1200),
        ("{{ steps.order.output.body.lines[0].sku }}", "a"),
        ("{{ steps.order.output.body.lines.1.sku }}", "b"),
        ("{{ steps.order.output.body.lines[-1].sku }}", "c"),
        ("{{ steps.order.output.body.lines[inputs.at].sku }}", "c"),
        ("{{ steps.order.output.body[inputs.key] }}", 1200),
        ("{{ steps.order.output.body.lines[1:] }}", [{"sku": "b"}, {"sku": "c"}]),
        ("{{ steps.order.output.body.lines[:-2] }}", [{"sku": "a"}]),
        ("{{ steps.order.output.body.lines[1:2][0].sku }}", "b"),
        ("{{ inputs.name[0] }}", "A"),
        ("{{ inputs.name[1:] }}", "da"),
        ("{{ {'a': {'b': 1}}.a.b }}", 1),
        ("{{ (inputs.name|upper)[0] }}", "A"),
        ("{{ [[1, 2], [3]][0][1] }}", 2),
    ],
)
def test_a_path_leads_to_the_value(source, value):
    assert render(source, SCOPE) == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "{{ step.order }}",
            'at position 3: "step" is not a known name. Did you mean "steps"? Known names: steps, inputs.',
        ),
        ("{{ steps.ordr.output }}", 'at position 9: steps has no "ordr". Did you mean "steps.order"?'),
        (
            "{{ steps.order.output.body.sum }}",
            'at position 27: steps.order.output.body has no "sum". '
            "It has total, first name, lines; use |default(…) for what may be missing.",
        ),
        (
            "{{ steps.order.output.body.first_name }}",
            'at position 27: steps.order.output.body has no "first_name". '
            'Did you mean steps.order.output.body["first name"]?',
        ),
        (
            "{{ steps.order.output.body.lines.sku }}",
            'at position 33: steps.order.output.body.lines is a list and has no "sku". '
            'Take one item with [0], or this key of all with |map(attribute="sku").',
        ),
        (
            "{{ steps.order.output.body.lines[3] }}",
            "at position 33: steps.order.output.body.lines has 3 items and no [3]. "
            "Positions count from 0; use |default(…) for what may be missing.",
        ),
        (
            "{{ inputs.nothing.more }}",
            'at position 18: inputs.nothing has no parts and so no "more", got null. '
            "Use |default(…) when it may be missing.",
        ),
        (
            "{{ inputs.name.upper }}",
            "at position 15: inputs.name has no parts and so no \"upper\", got text 'Ada'. "
            "Use the filter: inputs.name|upper.",
        ),
        ("{{ inputs[1.5] }}", "at position 10: a key is text or a whole number, got the number 1.5."),
        ("{{ inputs[true] }}", "at position 10: a key is text or a whole number, got true."),
        (
            "{{ inputs[inputs.nothing] }}",
            "at position 10: a key of inputs is text or a whole number, got null.",
        ),
        (
            "{{ inputs[inputs.name] }}",
            "at position 10: inputs has no such key, got text 'Ada'. "
            "It has key, at, nothing, name; use |default(…) for what may be missing.",
        ),
        (
            "{{ inputs[0] }}",
            "at position 10: inputs has no 0. It has key, at, nothing, name; use |default(…) for what may be missing.",
        ),
        ("{{ inputs.name[0:2:1] }}", "at position 15: [from:to] takes no third part. Use |reverse."),
        ("{{ inputs[0:2] }}", "at position 10: only a list or a text has parts like [1:3], got an object with 4 keys."),
        ("{{ inputs.name['a':] }}", "at position 15: needs a whole number for the ends of [from:to], got text 'a'."),
    ],
)
def test_a_path_that_leads_nowhere_is_named_with_its_place_and_what_was_meant(source, message):
    with pytest.raises(ExpressionError) as caught:
        render(source, SCOPE)

    assert str(caught.value) == f'Expression "{source}" {message}'


def test_a_long_path_is_looked_up_like_a_short_one():
    assert render("{{ a.b.c.d.e.f.g.h }}", {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}}) == 1


def test_a_long_path_names_the_step_that_is_missing():
    with pytest.raises(ExpressionError, match=r'a\.b\.c\.d\.e has no "f"'):
        render("{{ a.b.c.d.e.f.g.h }}", {"a": {"b": {"c": {"d": {"e": {"x": 1}}}}}})


def test_a_key_with_hyphens_is_suggested_for_its_beginning():
    with pytest.raises(ExpressionError) as caught:
        render("{{ headers.x-api-key }}", {"headers": {"x-api-key": "k"}})

    assert caught.value.suggestion == 'headers["x-api-key"]'


@pytest.mark.parametrize(
    ("source", "references"),
    [
        ("{{ steps.order.output.body.total }}", {("steps", "order", "output", "body", "total")}),
        ("{{ steps.order.output.lines[0].sku }}", {("steps", "order", "output", "lines", 0, "sku")}),
        ("{{ steps[inputs.key].output }}", {("steps",), ("inputs", "key")}),
        ("{{ steps.a.output|default(steps.b.output) }}", {("steps", "a", "output"), ("steps", "b", "output")}),
        ("{{ steps.a.output is defined }}", {("steps", "a", "output")}),
        ("{{ rows|selectattr('id', 'eq', inputs.id)|map('default', x)|list }}", {("rows",), ("inputs", "id"), ("x",)}),
        ("{{ a.b[1:c.d] }} and {{ e if f else g }}", {("a", "b"), ("c", "d"), ("e",), ("f",), ("g",)}),
        ("{{ [a, {'k': b}, -c, not d, e ~ f, g < h < i] }}", {(name,) for name in "abcdefghi"}),
        ("{{ null }} {{ true }} {{ 'text' }}", set()),
        ("no expressions", set()),
    ],
)
def test_the_references_are_known_before_it_runs(source, references):
    assert compile_template(source).references == references
