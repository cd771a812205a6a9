"""Why was this skipped? The operands of its condition, with their values."""

import pytest

from automation.engine.expressions import compile_template, explain

SCOPE = {
    "steps": {"order": {"output": {"body": {"total": 1200, "lines": [{"n": 1}, {"n": 2}], "note": "x" * 1000}}}},
    "inputs": {"region": "EU", "limit": 1000, "nothing": None},
    "secrets": {"token": "s3cret"},
}
TOTAL = {"expression": "steps.order.output.body.total", "value": 1200}
REGION = {"expression": "inputs.region", "value": "EU"}


@pytest.mark.parametrize(
    ("condition", "operands"),
    [
        ("{{ steps.order.output.body.total > 1000 }}", [TOTAL]),
        (
            "{{ steps.order.output.body.total > inputs.limit and not (inputs.region == 'US') }}",
            [TOTAL, {"expression": "inputs.limit", "value": 1000}, REGION],
        ),
        ("{{ inputs.region in ['EU', inputs.region] }}", [REGION]),
        ("{{ inputs.nothing == null }}", [{"expression": "inputs.nothing", "value": None}]),
        ("{{ inputs.other is defined }}", [{"expression": "inputs.other", "missing": True}]),
        (
            "{{ steps.order.output.body['lines']|selectattr('n', 'gt', 1)|length > 1 }}",
            [
                {"expression": 'steps.order.output.body.lines|selectattr("n", "gt", 1)|length', "value": 1},
                {"expression": 'steps.order.output.body.lines|selectattr("n", "gt", 1)', "value": [{"n": 2}]},
                {"expression": "steps.order.output.body.lines", "value": [{"n": 1}, {"n": 2}]},
            ],
        ),
        ("{{ secrets.token == 'x' }}", [{"expression": "secrets.token", "secret": True}]),
        (
            "{{ inputs.region|int > 0 }}",
            [
                {
                    "expression": "inputs.region|int",
                    "error": 'Expression "{{ inputs.region|int }}" at position 17: |int needs a number or text of one, '
                    "got text 'EU'. Give a fallback, as in |int(0).",
                },
                REGION,
            ],
        ),
        ("{{ 1 > 0 }}", []),
        ("never", []),
    ],
)
def test_the_operands_of_a_condition(condition, operands):
    assert explain(compile_template(condition), SCOPE) == operands


def test_a_long_text_is_cut():
    condition = compile_template("{{ steps.order.output.body.note }}")

    assert explain(condition, SCOPE) == [
        {"expression": "steps.order.output.body.note", "value": "x" * 200 + "…", "shortened": True}
    ]


def test_a_large_value_is_described():
    scope = {"rows": [{"a": "x" * 50} for _ in range(100)]}

    assert explain(compile_template("{{ rows }}"), scope) == [
        {"expression": "rows", "value": "a list of 100 items", "shortened": True}
    ]


def test_no_more_than_ten_operands_are_shown():
    condition = compile_template("{{ " + " or ".join(f"a{i}" for i in range(100)) + " }}")

    assert [row["expression"] for row in explain(condition, {})] == [f"a{i}" for i in range(10)]


def test_a_chain_of_thousands_is_no_trouble():
    condition = compile_template("{{ " + " or ".join(["a"] * 2000) + " }}")

    assert explain(condition, {"a": 0}) == [{"expression": "a", "value": 0}]


@pytest.mark.parametrize(
    "source",
    [
        'a.b[0]["odd key"].c',
        "a|default(1, also_empty=true)|round(-1)",
        "(a + b) * -c // 2 % 3 - d / e",
        "a and (b or c) and not d",
        'a if (b == 1) else (c ~ "x" ~ d)',
        "a is not divisibleby(3)",
        'a not in [1, [2, null], {"k": true}]',
        "rows[1:inputs.end]|length",
    ],
)
def test_an_operand_is_written_so_that_it_means_the_same(source):
    from jinja2 import nodes

    from automation.engine.expressions.syntax.parser import parse
    from automation.engine.expressions.syntax.source import Expression
    from automation.engine.expressions.syntax.unparse import unparse

    def shape(node):
        fields = {name: getattr(node, name) for name in node.fields}
        return type(node).__name__, {k: _shape(v) for k, v in fields.items()}

    def _shape(value):
        if isinstance(value, nodes.Node):
            return shape(value)
        return [_shape(item) for item in value] if isinstance(value, list) else value

    tree = parse(Expression(source, 0))

    assert shape(parse(Expression(unparse(tree), 0))) == shape(tree)
