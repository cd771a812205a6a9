"""Whatever an expression does, time, memory and depth stay within its budget."""

import tracemalloc

import pytest

from automation.engine.expressions import Budget, Code, ExpressionError, compile_template, render

MEGABYTE = 1 << 20
SCOPE = {
    "text": "a" * MEGABYTE,
    "csv": "a," * MEGABYTE,
    "rows": list(range(100_000)),
    "body": {"rows": [{"a": "x" * 100}] * 10_000},
    "escaped": "%41" * MEGABYTE,
    "json": "[" + "1," * MEGABYTE + "1]",
    "opened": "[" * MEGABYTE,
}


def repeated(part: str, count: int, by: str = ",") -> str:
    return by.join([part] * count)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(f"{{{{ {repeated('text', 2000, '~')} }}}}", id="doubling by ~"),
        pytest.param(f"{{{{ {repeated('text', 2000, '+')} }}}}", id="doubling by +"),
        pytest.param("{{ text }}" * 2000, id="many texts in one"),
        pytest.param(f"{{{{ [{repeated('body', 2000)}] }}}}", id="one object a thousand times"),
        pytest.param(f"{{{{ [{repeated('body', 2000)}]|tojson }}}}", id="the same as JSON"),
        pytest.param(f"{{{{ [{repeated('body', 2000)}]|join }}}}", id="the same joined"),
        pytest.param(f"{{{{ [{repeated('body', 2000)}]|unique }}}}", id="the same compared"),
        pytest.param(f"{{{{ [{repeated('text', 2000)}]|sort }}}}", id="long texts sorted"),
        pytest.param(f"{{{{ [{repeated('text[1:]', 2000)}] }}}}", id="slices of a long text"),
        pytest.param(f"{{{{ {repeated('rows', 2000, '+')} }}}}", id="lists added"),
        pytest.param(f"{{{{ [{repeated('rows', 2000)}]|flatten }}}}", id="lists flattened"),
        pytest.param(f"{{{{ [{repeated('null', 100)}]|map('default', body) }}}}", id="a default for each item"),
        pytest.param("{{ text|replace('a', text) }}", id="replace bomb"),
        pytest.param(f"{{{{ 'x'{repeated('|replace(`x`, `xxxxxxxxxx`)', 40, '')} }}}}".replace("`", "'"), id="replace chain"),
        pytest.param("{{ rows|join(text) }}", id="join bomb"),
        pytest.param("{{ csv|split(',') }}", id="split"),
        pytest.param("{{ csv|replace(',', ' ')|split }}", id="split at white space"),
        pytest.param("{{ text|list }}", id="a text as characters"),
        pytest.param("{{ csv|title }}", id="title"),
        pytest.param("{{ csv|replace(',', '\\n')|indent(100) }}", id="indent"),
        pytest.param("{{ body|tojson(indent=8) }}", id="indented JSON"),
        pytest.param(f"{{{{ text{repeated('|b64encode', 40, '')} }}}}", id="base64 chain"),
        pytest.param(f"{{{{ '~'{repeated('|tojson', 40, '')} }}}}", id="JSON in JSON chain"),
        pytest.param(f"{{{{ '&'{repeated('|escape|replace(`&`, `&&`)', 20, '')} }}}}".replace("`", "'"), id="escape chain"),
        pytest.param("{{ escaped|urldecode }}", id="percent signs"),
        pytest.param("{{ json|fromjson }}", id="many values in JSON"),
        pytest.param("{{ opened|fromjson }}", id="deep JSON"),
        pytest.param("{{ rows|map('string')|list }}", id="a filter for each item"),
        pytest.param("{{ [rows, rows]|map('map', 'string') }}", id="a filter for each item of each item"),
        pytest.param(f"{{{{ {repeated('-1 in rows', 1000, ' or ')} }}}}", id="searching a list again and again"),
        pytest.param(f"{{{{ {repeated('rows == rows', 1000, ' and ')} }}}}", id="comparing lists again and again"),
        pytest.param(f"{{{{ {repeated('text|hash', 1500, '~')} }}}}", id="hashing again and again"),
        pytest.param(f"{{{{ {repeated('`a`|hmac(text)', 1000, '~')} }}}}".replace("`", "'"), id="long keys"),
        pytest.param(f"{{{{ {repeated('text <= text', 1400, ' and ')} }}}}", id="ordering long texts again and again"),
    ],
)  # fmt: skip
def test_what_would_take_too_much_is_stopped_before_it_does(source):
    tracemalloc.start()
    try:
        with pytest.raises(ExpressionError) as caught:
            render(source, SCOPE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert caught.value.code is Code.BUDGET or "characters" in caught.value.message
    assert peak < 64 * MEGABYTE


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (f"{{{{ {'(' * 9000}1{')' * 9000} }}}}", "brackets are nested deeper than 32 levels"),
        (f"{{{{ {'[{(' * 3000} }}}}", "brackets are nested deeper than 32 levels"),
        ("{{" * 100_000, "brackets are nested deeper than 32 levels"),
        (f"{{{{ {'not ' * 4900}1 }}}}", "it is nested too deep"),
        (f"{{{{ {'- ' * 9000}1 }}}}", "it is nested too deep"),
        (f"{{{{ {'1 if 0 else ' * 1600}1 }}}}", "it is nested too deep"),
        (f"{{{{ 'a'{'|upper' * 3000} }}}}", "it is nested deeper than 64 levels"),
        (f"{{{{ a{'[b]' * 100} }}}}", "a path may have 64 parts behind the first that has to be computed"),
        (f"{{{{ {'1+' * 9000}1 }}}}", "a template may have 5000 parts"),
        ("{{1}}" * 200_000, "a template may have 5000 parts"),
        (f"{{{{ '{'a' * 30_000}' }}}}", "an expression may have 20000 characters, this one has 30004"),
        ("x" + "{{'" * 100_000, "brackets are nested deeper than 32 levels"),
    ],
)
def test_a_source_too_large_or_too_deep_is_refused_before_it_runs(source, message):
    with pytest.raises(ExpressionError) as caught:
        compile_template(source)

    assert message in caught.value.message
    assert caught.value.code is Code.BUDGET
    assert len(caught.value.message) < 500


def test_a_path_may_be_long():
    with pytest.raises(ExpressionError, match='a has no parts and so no "b", got the number 1'):
        render(f"{{{{ a{'.b' * 4000} }}}}", {"a": 1})


@pytest.mark.parametrize(
    ("source", "position"),
    [
        ("{{ deep|tojson }}", 8),
        ("{{ deep ~ '' }}", 3),
        ("text {{ deep }}", 7),
        ("{{ [deep]|unique }}", 10),
        ("{{ [deep] }}", 2),
    ],
)
def test_a_value_nested_too_deep_is_refused_where_it_is_written_out(source, position):
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]

    with pytest.raises(ExpressionError, match="nested deeper than 100 levels") as caught:
        render(source, {"deep": deep})

    assert caught.value.position == position


def test_deep_values_can_be_compared():
    one, other = 1, 1
    for _ in range(5000):
        one, other = [one], [other]

    assert render("{{ one == other }}", {"one": one, "other": other}) is True


@pytest.mark.parametrize(
    ("source", "operations"),
    [
        ("{{ 1 }}", 1),
        ("{{ a }}", 1),
        ("{{ a.b.c }}", 3),
        ("{{ 1 + 2 * 3 }}", 7),
        ("{{ rows|sum }}", 2 + 3),
        ("{{ rows|map('string')|join }}", 3 + 3 + 3),
        ("{{ 1 in rows }}", 3 + 3),
    ],
)
def test_each_node_and_each_item_costs_one_operation(source, operations):
    scope = {"a": {"b": {"c": 1}}, "rows": [1, 2, 3]}
    enough, too_few = Budget(operations=operations), Budget(operations=operations - 1)

    compile_template(source).evaluate(scope, enough)

    assert enough.operations == 0
    with pytest.raises(ExpressionError, match=f"more than the {operations - 1} operations"):
        compile_template(source).evaluate(scope, too_few)


def test_a_budget_is_shared_by_what_is_evaluated_with_it():
    budget = Budget(operations=10)
    template = compile_template("{{ rows|sum }}")

    template.evaluate({"rows": [1] * 5}, budget)
    with pytest.raises(ExpressionError, match="more than the 10 operations"):
        template.evaluate({"rows": [1] * 5}, budget)


def test_a_large_value_can_be_handed_on_and_filtered_without_being_copied():
    body = {"rows": [{"id": i, "text": "x" * 1000} for i in range(20_000)]}
    budget = Budget()

    assert render("{{ body }}", {"body": body}, budget) is body
    assert len(render("{{ body.rows|selectattr('id', 'lt', 3) }}", {"body": body}, budget)) == 3
    assert budget.output_bytes > 8 * MEGABYTE - 100
