"""Elements of JSON arrays, JSON lines and plain lines."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest

from automation.reading.items import Format, Malformed, Options, Read, ReadFault
from automation.reading.page import read_items

M, R = Malformed, Read


def items(form: Format, data: bytes | str, **options: Any) -> list[Read | Malformed]:
    stream = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    return list(read_items(stream, Options(form, **options)))


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("[1, 2 ,3]", "", [R(1, 1), R(2, 2), R(3, 3)]),
        (' [ {"a": [1, {"b": "]"}]} , "x,\\"]" ] ', "", [R(1, {"a": [1, {"b": "]"}]}), R(2, 'x,"]')]),
        ("[]", "", []),
        ("", "", []),
        ('{"a": 1}', "", [R(1, {"a": 1})]),
        ("7", "", [R(1, 7)]),
        ('\ufeff["ü"]', "", [R(1, "ü")]),
        ('{"a": {"skip": [1]}, "b": {"list": [1, 2]}}', "/b/list", [R(1, 1), R(2, 2)]),
        ('{"a/b": [true]}', "/a~1b", [R(1, True)]),
        ('["a\\u0000b", "\\\\u0000", "\\ud800", 1]', "", None),
    ],
    ids=["numbers", "nested", "empty", "nothing", "object", "number", "mark", "at", "escaped", "unstorable"],
)
def test_elements_are_read_one_by_one(text, at, expected):
    found = items(Format.JSON, text, at=at)

    if expected is None:
        assert [type(one) for one in found] == [M, R, M, R]
        assert found[0] == M(1, "it holds a NUL character, which cannot be stored")
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("text", "at", "code"),
    [
        ("[1, 2", "", "broken_json"),
        ("[1 2]", "", "broken_json"),
        ("[1,]", "", "broken_json"),
        ('[{"a": nope}]', "", "broken_json"),
        ("[NaN]", "", "broken_json"),
        ('["x', "", "broken_json"),
        ("[" * 100_000, "", "broken_json"),
        (b'["caf\xe9"]', "", None),
        ('["' + "x" * 1_100_000 + '"]', "", "item_too_large"),
        ('{"a": 1}', "/list", "no_array"),
        ('{"list": 1}', "/list", "no_array"),
        ("[1]", "/list", "no_array"),
    ],
    ids=["cut", "comma", "end", "word", "nan", "text", "deep", "bytes", "large", "missing", "scalar", "array"],
)
def test_what_is_no_array_is_told(text, at, code):
    if code is None:
        assert [type(one) for one in items(Format.JSON, text, at=at)] == [M]
        return

    with pytest.raises(ReadFault) as refused:
        items(Format.JSON, text, at=at)

    assert refused.value.code == code


def test_an_array_larger_than_what_is_held_is_read_whole():
    wanted = [{"n": number, "text": "ü]}\\" * 50, "x": [1.5, None, -12345678]} for number in range(5_000)]

    found = items(Format.JSON, orjson.dumps(wanted))

    assert [one.value for one in found if isinstance(one, Read)] == wanted


def test_each_line_is_a_json_value_of_its_own():
    text = '{"a": 1}\n\n  \nnope\n"x\\u0000"\n[1]'

    found = items(Format.NDJSON, text)

    assert (found[0], found[3]) == (R(1, {"a": 1}), R(4, [1]))
    assert [one.number for one in found if isinstance(one, Malformed)] == [2, 3]


def test_each_line_is_a_text():
    found = items(Format.LINES, b"one\r\n\nth\xffree\nlast")

    assert found == [R(1, "one"), R(2, ""), M(3, "it holds bytes that are no text in this encoding"), R(4, "last")]
