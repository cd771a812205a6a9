"""The JSON gate: what comes in is a value that can be stored and sent again, or a refusal that names the place."""

import json

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from brainops.core import json_gate
from brainops.core.errors import MalformedJson, TooLarge
from brainops.core.json_gate import Limits

LIMITS = Limits(body_bytes=1 << 20, depth=64, keys=50_000, string_bytes=1 << 20)


def problems_of(body: bytes, limits: Limits = LIMITS) -> list[tuple[str, str]]:
    with pytest.raises(MalformedJson) as refusal:
        json_gate.read(body, limits)
    return [(problem.code, problem.pointer) for problem in refusal.value.problems]


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (b'{"a": 1, "a": 2}', [("duplicate_key", "/a")]),
        (b'{"a":1,"a" :2}', [("duplicate_key", "/a")]),
        (b'{"a":1, "a":1}', [("duplicate_key", "/a")]),
        (b'{"a b":1,"ab":2,"a b":3}', [("duplicate_key", "/a b")]),
        (b'{"x":1,"a\\\\":2,"x":3}', [("duplicate_key", "/x")]),
        (b'{"a":1,"\\u0061":2}', [("duplicate_key", "/a")]),
        (b'[{"k":{"a":1,"a":2}}]', [("duplicate_key", "/0/k/a")]),
        (b'{"a":NaN}', [("not_a_number", "/a")]),
        (b"[Infinity,-Infinity,1]", [("not_a_number", "/0"), ("not_a_number", "/1")]),
        (b'{"a":1e400}', [("number_too_large", "/a")]),
        (b'{"a":18446744073709551616}', [("integer_too_large", "/a")]),
        (b'{"a":-9223372036854775809}', [("integer_too_large", "/a")]),
        (b"[" + b"9" * 5000 + b"]", [("integer_too_large", "/0")]),
        (b'{"a":"x\\u0000y"}', [("nul_character", "/a")]),
        (b'{"a\\u0000":1}', [("nul_character", "/a\0")]),
        (b'["\\ud800"]', [("lone_surrogate", "/0")]),
        (b'["\\udc00\\ud800"]', [("lone_surrogate", "/0")]),
        (b'{"a/b~c":{"d":1,"d":1}}', [("duplicate_key", "/a~1b~0c/d")]),
        (b'{"a":1,}', [("malformed_json", "")]),
        (b"[1 2]", [("malformed_json", "")]),
        (b'{"a" 1}', [("malformed_json", "")]),
        (b"{'a': 1}", [("malformed_json", "")]),
        (b'"never closed', [("malformed_json", "")]),
        (b'"a\nb"', [("malformed_json", "")]),
        (b'"\\x41"', [("malformed_json", "")]),
        (b"[1] [2]", [("malformed_json", "")]),
        (b"", [("malformed_json", "")]),
        (b"nul", [("malformed_json", "")]),
        (b"[01]", [("malformed_json", "")]),
        (b"\xef\xbb\xbf{}", [("byte_order_mark", "")]),
        (b'{"a":"\xff"}', [("not_utf8", "")]),
        ('{"a":1}'.encode("utf-16"), [("not_utf8", "")]),
    ],
)
def test_a_bad_body_is_refused_with_the_place(body, problems):
    found = problems_of(body)

    if problems[0][0] == "malformed_json":  # where the grammar broke is in the sentence
        assert [code for code, _ in found] == ["malformed_json"]
    else:
        assert found == problems


def test_everything_wrong_is_named_at_once():
    body = b'{"a": NaN, "b": {"c": 1, "c": 2}, "d": "\\u0000", "e": ["\\ud800"], "f": 99999999999999999999}'

    assert problems_of(body) == [
        ("not_a_number", "/a"),
        ("duplicate_key", "/b/c"),
        ("nul_character", "/d"),
        ("lone_surrogate", "/e/0"),
        ("integer_too_large", "/f"),
    ]


def test_the_sentence_of_a_broken_grammar_names_line_and_column():
    with pytest.raises(MalformedJson) as refusal:
        json_gate.read(b'{\n  "a": 1\n  "b": 2\n}', LIMITS)

    assert refusal.value.message == "The body is no JSON: line 3, column 3: expected , or }, found '\"'."


@pytest.mark.parametrize(
    "value",
    [
        b'{"a":18446744073709551615,"b":-9223372036854775808}',
        b'{"a":1e300}',
        b'{"a":"\\\\u0000"}',  # an escaped backslash before u0000 is a text, no NUL
        b'{"a":"\\ud83d\\ude00"}',
        b'{"a":"he said \\":\\" twice"}',
        b'{"a" : 1, "b" : {"a" : 2}}',
        b'{"a":"x : y"}',
        b'{"message":"{\\"a\\":1,\\"a\\":2}"}',  # JSON in a text is a text
        b'"text"',
        b"1",
        b"null",
        b"  [ ]  ",
    ],
)
def test_a_good_body_is_read_exactly(value):
    assert json_gate.read(value, LIMITS) == json.loads(value)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_nesting_up_to_the_limit_is_taken_and_one_more_is_refused():
    assert json_gate.read(nested(64), LIMITS) == json.loads(nested(64))
    assert problems_of(nested(65)) == [("too_deep", "/0" * 64)]


@pytest.mark.parametrize("depth", [1000, 5000, 500_000])
def test_absurd_nesting_is_refused_without_a_crash(depth):
    assert problems_of(nested(depth)) == [("too_deep", "/0" * 64)]
    assert problems_of(b'{"a":' * (depth // 5 + 65))[-1][0] == "too_deep"


def test_brackets_in_texts_do_not_count_as_depth():
    body = orjson.dumps(["[" * 100, {"]": "{" * 100}])

    assert json_gate.read(body, LIMITS) == orjson.loads(body)


def test_more_keys_than_the_limit_are_refused():
    limits = Limits(body_bytes=1000, depth=64, keys=3, string_bytes=1000)

    assert json_gate.read(b'[{"a":1,"b":2},{"c":3}]', limits) == [{"a": 1, "b": 2}, {"c": 3}]
    assert problems_of(b'[{"a":1,"b":2},{"c":3,"d":4}]', limits) == [("too_many_keys", "/1/d")]
    assert problems_of(b'[{"a" : 1,"b" : 2},{"c" : 3,"d" : 4}]', limits) == [("too_many_keys", "/1/d")]
    assert json_gate.read(b'{"a":"::::::::::"}', limits) == {"a": "::::::::::"}


def test_a_longer_text_than_the_limit_is_refused():
    limits = Limits(body_bytes=1000, depth=64, keys=10, string_bytes=20)

    assert json_gate.read(orjson.dumps({"a": "x" * 20}), limits) == {"a": "x" * 20}
    assert problems_of(orjson.dumps({"a": "x" * 21}), limits) == [("string_too_long", "/a")]
    assert problems_of(orjson.dumps({"a": "é" * 11}), limits) == [("string_too_long", "/a")]


def test_a_larger_body_than_the_limit_is_refused_before_it_is_parsed():
    with pytest.raises(TooLarge) as refusal:
        json_gate.read(b"x" * 1001, Limits(body_bytes=1000, depth=64, keys=10, string_bytes=1000))

    assert refusal.value.message == "The body has 1,001 bytes; at most 1,000 are taken."


def test_at_most_a_hundred_problems_are_listed():
    body = b"[" + b",".join([b"NaN"] * 500) + b"]"

    assert len(problems_of(body)) == 100


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(json_gate.SMALLEST_INTEGER, json_gate.LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda below: st.lists(below) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"])), below),
    max_leaves=30,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no finding
@given(JSON, st.sampled_from([None, 2]), st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]))
def test_whatever_can_be_stored_comes_through_unchanged(value, indent, is_ascii, separators):
    body = json.dumps(value, indent=indent, ensure_ascii=is_ascii, separators=separators).encode()

    assert json_gate.read(body, LIMITS) == value


@given(st.binary(max_size=200))
@example(b"[" * 100_000)
def test_no_bytes_make_anything_but_a_value_or_a_refusal(body):
    try:
        outcome = json_gate.encode(json_gate.read(body, LIMITS))
    except MalformedJson as refusal:
        outcome = refusal.problems

    assert outcome


TOKENS = st.sampled_from([*'[]{},:"\\ \n', '"a"', '"a":', '"b" :', "1", "NaN", "null", "\\u0000", "\\ud800", "1e999"])


@given(st.lists(TOKENS, max_size=40).map("".join))
def test_the_gate_agrees_with_the_standard_library_about_what_json_is(text):
    try:
        json.loads(text, parse_constant=lambda word: 1 / 0)
        is_json = True
    except (ValueError, ZeroDivisionError):
        is_json = False
    try:
        json_gate.read(text.encode(), LIMITS)
        is_taken = True
    except MalformedJson:
        is_taken = False

    # whatever we take, the standard library takes; what it takes and we refuse holds a duplicate, a NUL or the like
    assert is_json or not is_taken


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["1", '"x:"', '"\\":"', '{"a":1}'])), max_size=5))
def test_a_duplicate_key_never_gets_through(pairs):
    body = "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
    has_duplicate = len({key for key, _ in pairs}) < len(pairs)

    if has_duplicate:
        assert ("duplicate_key", f"/{next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))}") in (
            problems_of(body.encode())
        )
    else:
        assert json_gate.read(body.encode(), LIMITS) == json.loads(body)


@pytest.mark.parametrize("value", ["\0", {"a\0": 1}, ["\ud800"], 1 << 64, {"a": {1, 2}}])
def test_a_value_of_our_own_that_cannot_be_stored_is_refused(value):
    with pytest.raises(MalformedJson):
        json_gate.encode(value)
