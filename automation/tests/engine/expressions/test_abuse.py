"""Nothing but JSON values is ever reached. The list is of the ways other engines were left."""

import pytest

from automation.engine.expressions import ExpressionError, render

SCOPE = {"s": "text", "n": 1, "f": 1.5, "l": [1], "o": {"k": "v"}, "t": True, "z": None}

ATTRIBUTES = [
    "__class__", "__init__", "__globals__", "__mro__", "__subclasses__", "__dict__", "__getattribute__", "__call__",
    "__reduce__", "__builtins__", "__import__", "__code__", "f_globals", "gi_frame", "mro", "func_globals",
    "format", "format_map", "upper", "pop", "update", "clear", "append", "keys", "items", "denominator", "real",
    "constructor", "prototype", "__proto__",
]  # fmt: skip


@pytest.mark.parametrize("root", SCOPE)
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_no_value_has_attributes(root, name):
    for source in (
        f"{{{{ {root}.{name} }}}}",
        f"{{{{ {root}['{name}'] }}}}",
        f"{{{{ {root}['{name[:3]}' ~ '{name[3:]}'] }}}}",
    ):
        with pytest.raises(ExpressionError):
            render(source, SCOPE)
        assert render(source.replace(" }}", "|default('nothing') }}"), SCOPE) == "nothing"


@pytest.mark.parametrize("root", SCOPE)
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_no_filter_reaches_attributes_of_items(root, name):
    with pytest.raises(ExpressionError):
        render(f"{{{{ [{root}]|map(attribute='{name}') }}}}", SCOPE)
    assert render(f"{{{{ [{root}]|selectattr('{name}') }}}}", SCOPE) == []


@pytest.mark.parametrize(
    "expression",
    [
        # the way through classes, in all its spellings
        "''.__class__.__mro__[1].__subclasses__()",
        "''['__cla' 'ss__']",
        "''|attr('__class__')",
        r"''['\x5f\x5fclass\x5f\x5f']",
        "[].append(1)",
        "{}.__class__.__base__",
        "(1).__class__",
        "().__class__",
        "o.items()",
        "o.update({'k': 'w'})",
        "s.format(s)",
        "'{0.__class__}'.format(s)",
        "'%s' % s",
        "'%1000000000d' % 1",
        "'{:>10000000000}'|format(1)",
        "s|format",
        # Jinja's own globals
        "self.__init__.__globals__",
        "self._TemplateReference__context",
        "lipsum.__globals__['os'].popen('id').read()",
        "lipsum(n=100000)",
        "cycler.__init__.__globals__.os",
        "joiner.__init__",
        "namespace.__init__",
        "namespace(a=1)",
        "range(100000000)",
        "range",
        "dict(a=1)",
        "config.items()",
        "request.application.__globals__",
        "get_flashed_messages.__globals__",
        "url_for.__globals__",
        "g.pop.__globals__",
        "loop.index",
        "super()",
        "caller()",
        "varargs",
        "__builtins__",
        "__import__('os').system('id')",
        "open('/etc/passwd').read()",
        "eval('1')",
        # JavaScript's
        "$json.__proto__",
        "this.constructor.constructor('return process')()",
        "(function(){ return this.process })()",
        "`constructor`",
        "() => 1",
        "new Date()",
        # filters that other engines have
        "s|pprint",
        "s|xmlattr",
        "s|safe|string.join",
        "s|map",
        "[s]|map('attr', '__class__')",
        "[s]|map(attribute='__class__')",
        "[o]|sort(attribute='__class__')",
        "[o]|groupby('__class__.__name__')",
        "[o]|sum(attribute='__len__')",
        "[o]|map('map', 'attr', '__class__')",
        "[1]|select('callable')",
        "s is callable",
        "s is sameas s",
        "s is filter",
        "s|filter",
        # programs
        "x = 1",
        "lambda: 1",
        "[x for x in l]",
        "(x := 1)",
        "1; 2",
        "s[0:1:1]",
        "*l",
        "s|default(**o)",
        "s|default(*l)",
        "9**9**9",
        "'a' * 2000000000",
        "[0] * 2000000000",
        "s is",
        "s|",
        "s..k",
        "s.",
        ".s",
        "s?.k",
        "ｓ.k",
        "s\u200b",
        "\u202es",
        "s .__class__ ",
        "s\n.\n__class__",
    ],
)
def test_an_escape_ends_in_a_clear_refusal(expression):
    with pytest.raises(ExpressionError) as caught:
        render(f"{{{{ {expression} }}}}", SCOPE)

    assert len(caught.value.message) < 800
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in range(10) %}{{ x }}{% endfor %}",
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% import 'os' as os %}",
        "{% include '/etc/passwd' %}",
        "{% extends 'x' %}",
        "{% raw %}{{ x }}{% endraw %}",
        "{%- if true %}x{% endif -%}",
        "{% print(1) %}",
        "{# comment #}",
        "{{ s }}{# comment #}",
        "{% filter upper %}x{% endfilter %}",
        "{% call x() %}{% endcall %}",
        "{% debug %}",
    ],
)
def test_there_are_no_statements(source):
    with pytest.raises(ExpressionError, match="which do not exist here"):
        render(source, SCOPE)


def test_a_secret_is_in_no_message():
    scope = {"secrets": {"token": "s3cret"}}

    for source in (
        "{{ secrets.token|int }}",
        "{{ secrets.token + 1 }}",
        "{{ secrets.token.x }}",
        "{{ secrets[secrets.token] }}",
    ):
        with pytest.raises(ExpressionError) as caught:
            render(source, scope)
        assert "s3cret" not in caught.value.message
        assert caught.value.value is None


def test_the_offending_value_is_kept_short():
    with pytest.raises(ExpressionError) as caught:
        render("{{ a|int }}", {"a": "x" * 1_000_000})

    assert caught.value.value == "x" * 200 + "…"
    assert len(caught.value.message) < 300


def test_a_large_value_is_only_described():
    with pytest.raises(ExpressionError) as caught:
        render("{{ a|int }}", {"a": [1] * 1000})

    assert caught.value.value == "a list of 1000 items"


def test_names_are_compared_with_few_others():
    scope = {f"{'k' * 60}{i:06}": 0 for i in range(100_000)}

    with pytest.raises(ExpressionError, match="is not a known name"):
        render(f"{{{{ {'k' * 60}x }}}}", scope)
