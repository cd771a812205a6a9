"""XLSX: real workbooks, damaged ones, and bombs."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from automation.reading import workbook
from automation.reading.items import Format, Malformed, Options, Read, ReadFault
from automation.reading.page import read_items

M, R = Malformed, Read


def book(*rows: list[Any], title: str = "Orders") -> bytes:
    made = Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    made.create_sheet("Second").append(["x"])
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def rows(data: bytes, **options: Any) -> list[Read | Malformed]:
    return list(read_items(io.BytesIO(data), Options(Format.XLSX, **options)))


def changed(data: bytes, member: str, content: bytes) -> bytes:
    """The workbook with another part in place of one."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    return stream.getvalue()


def test_rows_of_the_first_sheet_with_values_of_their_types():
    data = book(
        ["id", "name", "at", "day", "ok", "price", None],
        [1, "Ü", datetime.fromisoformat("2026-01-02T03:04"), date(2026, 1, 2), True, 1.5],
        [],
        [2, None, None, None, None, 2.0],
        [3, "x", None, None, None, None, None, "beyond"],
    )

    assert rows(data) == [
        R(
            1,
            {"id": 1, "name": "Ü", "at": "2026-01-02T03:04:00", "day": "2026-01-02T00:00:00", "ok": True, "price": 1.5},
        ),
        R(2, {"id": 2, "name": None, "at": None, "day": None, "ok": None, "price": 2}),
        M(3, "it has 7 fields, the header has 6"),
    ]


def test_a_sheet_is_chosen_by_name():
    assert rows(book(["id"]), sheet="Second", header=False) == [R(1, ["x"])]


def test_a_sheet_that_is_not_there_is_told():
    with pytest.raises(ReadFault) as refused:
        rows(book(["id"]), sheet="Order")

    assert refused.value.message == 'The workbook has no sheet "Order". Did you mean "Orders"?'


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04 nothing", b"id,name\n", book(["id"])[:-40]],
    ids=["empty", "begun", "csv", "cut"],
)
def test_what_is_no_workbook_is_told(data):
    with pytest.raises(ReadFault) as refused:
        rows(data)

    assert refused.value.code == "no_workbook"


@pytest.mark.parametrize("member", ["xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"])
def test_entities_are_refused(member):
    bomb = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>&b;</sheetData></worksheet>"""

    with pytest.raises(ReadFault) as refused:
        rows(changed(book(["id"], ["x"]), member, bomb))

    assert refused.value.message == ("The workbook cannot be read: it declares entities or refers to other files.")


def test_a_zip_bomb_is_refused_before_anything_is_unpacked():
    with pytest.raises(ReadFault) as refused:
        rows(changed(book(["id"]), "xl/worksheets/sheet1.xml", b" " * 20_000_000))

    assert (refused.value.code, "sheet1.xml" in refused.value.message) == ("too_large", True)


@pytest.mark.parametrize(
    ("name", "value"), [("MOST_HELD_BYTES", 100), ("MOST_MEMBERS", 3), ("MOST_BYTES", 1_000)], ids=str
)
def test_parts_beyond_their_bounds_are_refused(monkeypatch, name, value):
    monkeypatch.setattr(workbook, name, value)

    with pytest.raises(ReadFault) as refused:
        rows(book(["id"], ["x"]))

    assert refused.value.code == "too_large"
