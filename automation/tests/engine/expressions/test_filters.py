"""Filters and tests: what each declares is what it does."""

import pytest

from automation.engine.expressions import FILTERS, TESTS, ExpressionError, render

DECLARED = {id(d): d for d in (*FILTERS.values(), *TESTS.values())}.values()
EXAMPLES = [pytest.param(e, id=f"{d.name}: {e.source}") for d in DECLARED for e in d.examples]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_gives_the_declared_result(example):
    result = render(example.source, example.scope)

    assert result == example.result
    assert type(result) is type(example.result)


@pytest.mark.parametrize("declared", [pytest.param(d, id=d.name) for d in DECLARED])
def test_every_filter_and_test_has_a_sentence_and_an_example(declared):
    assert declared.doc.endswith(".")
    assert declared.examples


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ 'x'|default('y') }}", "x"),
        ("{{ 0|default(5) }}", 0),
        ("{{ null|default(5) }}", 5),
        ("{{ 0|default(5, true) }}", 5),
        ("{{ 0|default(5, also_empty=true) }}", 5),
        ("{{ a.b.c|default('none') }}", "none"),
        ("{{ a.b.c|length|default(0) }}", 0),
        ("{{ a.b.c|default(d.e)|default('none') }}", "none"),
        ("{{ 'x'|default(missing) }}", "x"),
        ("{{ []|max|default(0) }}", 0),
        ("{{ a[0]|default('none') }}", "none"),
        ("{{ a['k' ~ 1]|default('none') }}", "none"),
        ("{{ a.b.c[1:]|default('none') }}", "none"),
        ("{{ 'abc'.x|default('none') }}", "none"),
    ],
)
def test_default_covers_the_whole_path_to_its_left(source, value):
    assert render(source, {"a": {}, "d": {"e": None}}) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ a is defined }}", True),
        ("{{ a.b is defined }}", False),
        ("{{ x.y.z is not defined }}", True),
        ("{{ a.b|upper is defined }}", False),
        ("{{ [a, 1]|select('defined')|length }}", 2),
        ("{{ [{'k': 1}, {}, {'k': null}]|selectattr('k', 'defined')|length }}", 2),
        ("{{ [{'k': 1}, {}, {'k': null}]|selectattr('k', 'none')|length }}", 2),
        ("{{ [{'k': 1}, {}, {'k': null}]|rejectattr('k')|length }}", 2),
        ("{{ 3 is divisibleby(3) and 3 is not even }}", True),
        ("{{ 5 is in [5] }}", True),
    ],
)
def test_tests(source, value):
    assert render(source, {"a": {}}) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ [[1, 2], [3]]|map('sum') }}", [3, 3]),
        ("{{ [['a', 'b']]|map('map', 'upper') }}", [["A", "B"]]),
        ("{{ [[1, 2, 3]]|map('select', 'gt', 1) }}", [[2, 3]]),
        ("{{ [[{'n': 1}, {'n': 0}]]|map('selectattr', 'n') }}", [[{"n": 1}]]),
        ("{{ [null, 1]|map('default', 0) }}", [0, 1]),
        ("{{ [{'n': null}]|map(attribute='n') }}", [None]),
        ("{{ [{'n': null}, {}]|map(attribute='n', default=0) }}", [0, 0]),
        ("{{ [{'a': {'b': [7]}}]|map(attribute='a.b.0') }}", [7]),
        ("{{ [[7, 8]]|map(attribute=1) }}", [8]),
        ("{{ ['a', 'b']|map('replace', 'a', x) }}", ["z", "b"]),
        ("{{ [1, 2, 3]|select('in', [1, 3]) }}", [1, 3]),
        ("{{ ['b', 'C', 'a']|sort }}", ["a", "b", "C"]),
        ("{{ ['b', 'C', 'a']|sort(case_sensitive=true) }}", ["C", "a", "b"]),
        ("{{ [2, 1.5, -1]|sort(true) }}", [2, 1.5, -1]),
        ("{{ [1, true, 1.0, '1', [1], [1.0]]|unique }}", [1, True, "1", [1], [1.0]]),
        ("{{ [{'a': 1, 'b': 2}, {'b': 2, 'a': 1}]|unique|length }}", 1),
        ("{{ []|sum }}", 0),
        ("{{ [0.1, 0.2, 0.3]|sum }}", 0.6),
        ("{{ {'a': null, 'b': 0}|compact }}", {"b": 0}),
        ("{{ {'a': 1}|pick(['a', 'b']) }}", {"a": 1}),
        ("{{ -2.5|round }}", -3),
        ("{{ 1e300|round(2) }}", 1e300),
        ("{{ 0.5|round }}", 1),
        ("{{ ' -12.9 '|int }}", -12),
        ("{{ '1e3'|float }}", 1000.0),
        ("{{ 'e\u0301'|length }}", 2),
        ("{{ 'straße'|upper }}", "STRASSE"),
        ("{{ '+/+/'|b64decode|default('x') if false else 'ok' }}", "ok"),
        ("{{ '4pyT'|b64decode }}", "✓"),
        ("{{ 'é ü'|urlencode|urldecode }}", "é ü"),
        ("{{ 'data'|hmac('key', 'sha1', encoding='base64') }}", "EEFSxb/coHvGM+69RhmfAlXJ9J0="),
    ],
)
def test_filters_beyond_their_examples(source, value):
    assert render(source, {"x": "z"}) == value


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ 'a'|uper }}", 'at position 7: there is no filter "uper". Did you mean "upper"?'),
        (
            "{{ 'a'|format(1) }}",
            'at position 7: there is no filter "format". Join text with ~; numbers have |format_number, '
            'dates |format_date.',
        ),
        ("{{ 1 is evn }}", 'at position 5: there is no test "evn". Did you mean "even"?'),
        ("{{ 1|upper }}", "at position 5: |upper needs text, got the number 1. Convert it with |string."),
        ("{{ null|upper }}", "at position 8: |upper needs text, got null."),
        ("{{ 'a'|round }}", "at position 7: |round needs a number, got text 'a'. Convert it with |int or |float."),
        ("{{ 'a'|upper(1) }}", "at position 13: upper takes no arguments, got 1. It is written upper."),
        ("{{ 'a'|replace('b') }}", 'at position 7: replace needs "new". It is written replace(old, new, count=null).'),
        (
            '{{ 1|round(precison=1) }}',
            'at position 20: round has no argument "precison". Did you mean "precision"? It is written '
            'round(precision=0).',
        ),
        (
            '{{ 1|round(1, precision=1) }}',
            'at position 24: round got "precision" twice. It is written round(precision=0).',
        ),
        ("{{ 1|round(*[1]) }}", "at position 5: * and ** do not exist here."),
        ("{{ 1|round('x') }}", "at position 5: |round needs a whole number for precision, got text 'x'."),
        ("{{ 1|round(99) }}", "at position 5: |round needs -20 to 20 for precision, got the number 99."),
        ("{{ [1, 'x']|sum }}", "at position 12: |sum needs numbers and item 1 is none, got text 'x'."),
        (
            "{{ [1, 'x']|sort }}",
            "at position 12: |sort at item 1 only two numbers or two texts have an order, got text 'x'. "
            'Convert one with |float or |string.',
        ),
        (
            "{{ ['a', 1]|map('upper') }}",
            'at position 12: |map at item 1 needs text, got the number 1. Convert it with |string.',
        ),
        ("{{ [[]]|map('first') }}", "at position 8: |map at item 0 finds nothing."),
        (
            "{{ [{'total': 1}, {'totl': 2}]|map(attribute='total') }}",
            'at position 31: |map finds no such attribute in item 1, got text \'total\'. Did you mean "totl"? Keep only items that '
            "have it with |selectattr(…, 'defined') or give map a default=….",
        ),
        (
            '{{ [1]|map(name) }}',
            'at position 11: map needs a name that is written out. It is written map(attribute=…, '
            'default=…) or map(filter, arguments…).',
        ),
        ("{{ [1]|select('gtt', 1) }}", 'at position 14: there is no test "gtt". Did you mean "gt"?'),
        (
            '{{ [1]|selectattr }}',
            'at position 7: selectattr needs an attribute. It is written selectattr(attribute, test, '
            'arguments…).',
        ),
        (
            "{{ [{}]|selectattr('n', 'gt', 1) }}",
            'at position 8: |selectattr at item 0 only two numbers or two texts have an order, got null. '
            'Convert one with |float or |string.',
        ),
        ("{{ []|first }}", "at position 6: |first finds nothing. Use |default(…) for that case."),
        (
            "{{ 'x'|int }}",
            "at position 7: |int needs a number or text of one, got text 'x'. Give a fallback, as in |int(0).",
        ),
        (
            "{{ '٣'|int }}",
            "at position 7: |int needs a number or text of one, got text '٣'. Give a fallback, as in |int(0).",
        ),
        (
            "{{ 'nan'|float }}",
            "at position 9: |float needs a number or text of one, got text 'nan'. Give a fallback, as in "
            '|int(0).',
        ),
        (
            "{{ 'maybe'|bool }}",
            "at position 11: |bool needs true, false or a word for them, got text 'maybe'. Give a fallback, "
            'as in |int(0).',
        ),
        (
            "{{ '{'|fromjson }}",
            'at position 7: |fromjson cannot read the JSON (Expecting property name enclosed in double '
            "quotes: line 1 column 2 (char 1)), got text '{'.",
        ),
        ("{{ '[NaN]'|fromjson }}", "at position 11: |fromjson cannot read the JSON (NaN is not JSON)."),
        (r"""{{ '["\\ud800"]'|fromjson }}""", "at position 17: |fromjson the text has half of a surrogate pair."),
        ("{{ '####'|b64decode }}", "at position 10: |b64decode needs Base64, got text '####'."),
        ("{{ 'gICA'|b64decode }}", "at position 10: |b64decode the bytes are not UTF-8 text, got text 'gICA'."),
        (
            "{{ 'a'|hash('sha265') }}",
            'at position 7: |hash knows no such algorithm, got text \'sha265\'. Did you mean "sha256"? Take '
            'sha256, sha512, sha384, sha1, md5.',
        ),
        (
            '{{ []|to_object([]) }}',
            'at position 6: |to_object needs text for key, got a list of 0 items. Convert it with |string.',
        ),
        (
            "{{ [{'key': 1}]|to_object }}",
            'at position 16: |to_object at item 0 needs both keys, the first with text, got an object with '
            '1 key.',
        ),
        ("{{ []|map(attribute=null) }}", "at position 6: |map an attribute is a path of 1 to 200 characters, got null."),
        ("{{ 5|keys }}", "at position 5: |keys needs an object, got the number 5."),
        (
            "{{ {}|map('upper') }}",
            'at position 6: |map needs a list, got an object with 0 keys. Take its |keys, |values or |items.',
        ),
    ],
)  # fmt: skip
def test_refusals_name_the_filter_the_item_the_value_and_the_way_out(source, reason):
    with pytest.raises(ExpressionError) as caught:
        render(source, {})

    assert str(caught.value) == f'Expression "{source}" {reason}'
