"""Rows of CSV, as they come from spreadsheets, exports and people."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from automation.reading.items import Format, Malformed, Options, Read, ReadFault
from automation.reading.page import format_of, read_items, read_page

WEATHER = Path(__file__).parents[4] / "shared/cases/scenarios/weather-5000.csv"
M, R = Malformed, Read


def rows(data: bytes | str, **options: Any) -> list[Read | Malformed]:
    stream = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    return list(read_items(stream, Options(Format.CSV, **options)))


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("a,b\n1,2\n", {}, [R(1, {"a": "1", "b": "2"})]),
        ("a,b\r\n1,2", {}, [R(1, {"a": "1", "b": "2"})]),
        ("a;b\n1,5;2\n", {}, [R(1, {"a": "1,5", "b": "2"})]),
        ("a\tb\n1\t2\n", {}, [R(1, {"a": "1", "b": "2"})]),
        ('"a,x";b\n1;2\n', {}, [R(1, {"a,x": "1", "b": "2"})]),
        ('a,b\n"x ""y""\nz",2\n', {}, [R(1, {"a": 'x "y"\nz', "b": "2"})]),
        ("a,b\n\n\n1,2\n\n", {}, [R(1, {"a": "1", "b": "2"})]),
        ("1,2\n3,4\n", {"header": False}, [R(1, ["1", "2"]), R(2, ["3", "4"])]),
        ("1,2\n", {"columns": ("x", "y")}, [R(1, {"x": "1", "y": "2"})]),
        ("a,a,,\n1,2,3,4\n", {}, [R(1, {"a": "1", "a_2": "2", "column_3": "3", "column_4": "4"})]),
        ("a,b\n1\n2,3,4\n5,6\n", {}, [M(1, "it has 1 field, the header has 2"), M(2, "it has 3 fields, the header has 2"), R(3, {"a": "5", "b": "6"})]),
        ('a,b\n1,"x"y\n3,4\n', {}, [M(1, "its quotes make no sense (',' expected after '\"')"), R(2, {"a": "3", "b": "4"})]),
        ('a,b\n"1,2\n3,4\n', {}, [M(1, "its quote is never closed"), R(2, {"a": "3", "b": "4"})]),
        ("a,b\n'1,x',2\n", {"quote": "'"}, [R(1, {"a": "1,x", "b": "2"})]),
        ('a,b\n"1,2\n', {"quote": ""}, [R(1, {"a": '"1', "b": "2"})]),
        ("a,b\n1\x00,2\n3,4\n", {}, [M(1, "it holds bytes that are no text in this encoding"), R(2, {"a": "3", "b": "4"})]),
        ("a,b\nNA,1\n", {"nulls": frozenset({"NA"}), "types": {"a": "number", "b": "integer"}}, [R(1, {"a": None, "b": 1})]),
        ("a\nNA\n1.5\n7\n1e400\n", {"types": {"a": "number"}}, [M(1, 'its column "a" holds "NA", which is no number'), R(2, {"a": 1.5}), R(3, {"a": 7}), M(4, 'its column "a" holds "1e400", which is no number')]),
        ("a,b\nyes,0\nmaybe,1\n", {"types": {"a": "boolean", "b": "boolean"}}, [R(1, {"a": True, "b": False}), M(2, 'its column "a" holds "maybe", which is neither true nor false')]),
        ("", {}, []),
        ("a,b\n", {}, []),
    ],
    ids=[str(number) for number in range(1, 22)],
)  # fmt: skip
def test_rows_are_read_and_those_that_are_none_are_told(text, options, expected):
    assert rows(text, **options) == expected


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("a\nü€\n".encode(), ""),
        ("a\nü€\n".encode("utf-8-sig"), ""),
        ("a\nü€\n".encode("utf-8-sig"), "utf-8"),
        ("a\nü€\n".encode("utf-16"), ""),
        ("a\nü€\n".encode("utf-16-be"), "utf-16-be"),
        ("\ufeffa\nü€\n".encode("utf-16-be"), ""),
        ("\ufeffa\nü€\n".encode("utf-32-le"), ""),
        ("a\nü€\n".encode("cp1252"), "cp1252"),
    ],
    ids=["plain", "bom", "bom-named", "utf-16", "utf-16-named", "utf-16-be", "utf-32", "cp1252"],
)
def test_the_encoding_is_what_the_mark_or_the_caller_says(data, encoding):
    assert rows(data, encoding=encoding) == [R(1, {"a": "ü€"})]


def test_a_row_of_another_encoding_is_told_and_the_others_are_read():
    assert rows(b"a\ncaf\xe9\nx\n") == [
        M(1, "it holds bytes that are no text in this encoding"),
        R(2, {"a": "x"}),
    ]


@pytest.mark.parametrize("encoding", ["klingon", "base64", "utf-8\x00"], ids=["unknown", "no-text", "nul"])
def test_what_is_no_encoding_is_refused(encoding):
    with pytest.raises(ReadFault) as refused:
        rows(b"a\n", encoding=encoding)

    assert refused.value.code == "unknown_encoding"


def test_a_line_without_end_takes_no_memory_and_the_next_row_is_read():
    data = b"a,b\n1," + b"x" * 3_000_000 + b"\n3,4\n"

    assert rows(data) == [M(1, "it has more than 1,048,576 characters"), R(2, {"a": "3", "b": "4"})]


def test_an_open_quote_does_not_take_the_rest_of_the_file_along():
    data = 'a,b\n"1,2\n' + "3,4\n" * 50_000

    found = rows(data)

    assert (found[0], found[1], len(found)) == (M(1, "its quote is never closed"), R(2, {"a": "3", "b": "4"}), 50_001)


def test_a_header_of_too_many_columns_is_refused():
    with pytest.raises(ReadFault) as refused:
        rows(",".join("x" * 2_001))

    assert refused.value.message == "The header has 2,001 columns; at most 2,000 are read."


def test_a_page_goes_on_where_the_one_before_ended():
    data = "a\n" + "".join(f"{n}\n" for n in range(1, 8)) + "8,9\n10\n"

    def page(offset: int) -> Any:
        return read_page(io.BytesIO(data.encode()), Options(Format.CSV), offset=offset, most=4, most_bytes=1 << 20)

    first, second, third = page(0), page(4), page(8)

    assert ([row["a"] for row in first.items], first.errors, first.next_offset) == (["1", "2", "3", "4"], [], 4)
    assert (second.numbers, second.errors) == ([5, 6, 7], [M(8, "it has 2 fields, the header has 1")])
    assert (second.next_offset, third.items, third.numbers, third.next_offset) == (8, [{"a": "10"}], [9], None)


def test_a_page_ends_before_its_bytes_do_and_holds_one_item_at_least():
    data = b"a\n" + b"x" * 600 + b"\n" + b"y" * 600 + b"\n"

    page = read_page(io.BytesIO(data), Options(Format.CSV), most=100, most_bytes=500)

    assert (len(page.items), page.next_offset) == (1, 1)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("A.CSV", "", Format.CSV),
        ("a.tsv", "text/plain", Format.CSV),
        ("a", "application/json", Format.JSON),
        ("a.jsonl", "", Format.NDJSON),
        ("a.xlsx", "application/octet-stream", Format.XLSX),
        ("a.log", "", Format.LINES),
    ],
    ids=str,
)
def test_the_name_tells_the_format_else_the_type(name, kind, expected):
    assert format_of(name, kind) is expected


def test_a_file_of_an_unknown_kind_asks_for_a_format():
    with pytest.raises(ReadFault) as refused:
        format_of("photo.png", "image/png")

    assert refused.value.message == (
        "Neither the name 'photo.png' nor the type 'image/png' tells how to read it. Set `format`."
    )


@pytest.mark.skipif(not WEATHER.exists(), reason="the shared cases do not stand beside this checkout")
def test_five_thousand_rows_of_weather_with_missing_values_and_one_malformed_row():
    text = WEATHER.read_text().splitlines(keepends=True)
    text.insert(2_001, "EWR,2013,1,1,broken\n")
    numbers = dict.fromkeys(("temp", "wind_gust", "precip", "pressure"), "number")

    found = rows("".join(text), nulls=frozenset({"NA"}), types=numbers)

    read = [one for one in found if isinstance(one, Read)]
    assert [one for one in found if isinstance(one, Malformed)] == [M(2_001, "it has 5 fields, the header has 15")]
    assert (len(read), sum(one.value["wind_gust"] is None for one in read)) == (5_000, 3_767)
    assert (read[0].value["temp"], read[0].value["origin"], read[-1].number) == (39.02, "EWR", 5_001)
