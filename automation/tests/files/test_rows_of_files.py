"""One run for each row of a file, however many looks that takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from automation.engine import points
from automation.models import Arrival, FileUse, Run, StoredFile
from automation.models.arrival import ArrivalDecision
from automation.tests.files.rows import items_of, look_once, look_until_quiet, said, watch
from automation.triggers import file_rows

pytestmark = pytest.mark.django_db(transaction=True)

WEATHER = Path(__file__).parents[4] / "shared/cases/scenarios/weather-5000.csv"


def watch_rows(**config: Any) -> Any:
    return watch(where="local", root="shared", deliver="items", **config)


def test_each_row_starts_a_run_and_a_malformed_one_says_why_not(root):
    (root / "a.csv").write_bytes(b"id;total\n1;NA\n2\n3;4.5\n")
    trigger = watch_rows(read={"nulls": ["NA"], "types": {"total": "number"}})

    look_until_quiet(trigger)

    assert [(item["number"], item["row"]) for item in items_of(trigger)] == [
        (1, {"id": "1", "total": None}),
        (3, {"id": "3", "total": 4.5}),
    ]
    assert sorted(said(trigger)) == [
        ("ran", ""),
        ("ran", ""),
        ("refused", "Row 2: it has 1 field, the header has 2."),
    ]
    assert (StoredFile.objects.count(), FileUse.objects.count()) == (1, 2)


def test_a_file_is_put_away_behind_its_last_row(root, monkeypatch):
    monkeypatch.setattr(file_rows, "ROWS_AT_ONCE", 100)
    (root / "a.csv").write_bytes(b"n\n" + b"".join(b"%d\n" % number for number in range(250)))
    trigger = watch_rows(after="delete")
    look_once(trigger)

    there = []
    for _ in range(4):
        look_once(trigger)
        there.append((Run.objects.count(), (root / "a.csv").exists()))
    look_until_quiet(trigger)

    assert there == [(100, True), (200, True), (250, True), (250, False)]
    assert [item["row"]["n"] for item in items_of(trigger)] == [str(number) for number in range(250)]


class Killed(BaseException):
    """The process ends here."""


def test_killed_between_two_portions_no_row_is_lost_and_none_comes_twice(root, monkeypatch):
    monkeypatch.setattr(file_rows, "ROWS_AT_ONCE", 100)
    (root / "a.csv").write_bytes(b"n\n" + b"".join(b"%d\n" % number for number in range(250)))
    trigger = watch_rows(after="delete")
    look_once(trigger)

    for point in ("after_poll", "in_poll", "after_poll_commit") * 2:
        with monkeypatch.context() as during:
            during.setattr(points, "hook", lambda reached, point=point: _die(reached == point))
            with pytest.raises(Killed):
                look_once(trigger)
    look_until_quiet(trigger)

    assert [item["row"]["n"] for item in items_of(trigger)] == [str(number) for number in range(250)]
    assert list(root.iterdir()) == []


def _die(is_here: bool) -> None:
    if is_here:
        raise Killed


def test_what_was_there_before_starts_nothing(root):
    (root / "old.csv").write_bytes(b"n\n1\n2\n")
    trigger = watch_rows(first="skip")
    look_until_quiet(trigger)
    (root / "new.csv").write_bytes(b"n\n3\n")

    look_until_quiet(trigger)

    assert [item["row"] for item in items_of(trigger)] == [{"n": "3"}]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"id,total\n", "The file holds no rows."),
        ("a.csv", b"", "The file holds no rows."),
        ("a.json", b"[1, 2", "Behind element 2 there is neither a comma"),
        ("a.xlsx", b"no workbook", "The file is no XLSX workbook"),
        ("a.png", b"x", "Neither the name 'a.png' nor the type 'image/png' tells how to read it."),
    ],
    ids=["header", "empty", "json", "xlsx", "unknown"],
)
def test_a_file_without_rows_and_one_that_cannot_be_read_are_told_once(root, name, data, reason):
    (root / name).write_bytes(data)
    trigger = watch_rows(after="delete")

    look_until_quiet(trigger)

    decision, why = said(trigger)[-1]
    assert (decision, why.startswith(reason)) == ("refused", True), why
    assert (root / name).exists() == (reason != "The file holds no rows.")


def test_rows_of_a_workbook(root):
    book = Workbook()
    for row in (["id", "name"], [1, "Ü"], [2, None]):
        book.active.append(row)
    book.save(root / "a.xlsx")
    trigger = watch_rows()

    look_until_quiet(trigger)

    assert [item["row"] for item in items_of(trigger)] == [{"id": 1, "name": "Ü"}, {"id": 2, "name": None}]


def test_a_file_of_the_same_content_is_not_read_again(root):
    (root / "a.csv").write_bytes(b"n\n1\n")
    trigger = watch_rows(dedupe="content", after="delete")
    look_until_quiet(trigger)
    (root / "b.csv").write_bytes(b"n\n1\n")

    look_until_quiet(trigger)

    assert (len(items_of(trigger)), list(root.iterdir())) == (1, [])


@pytest.mark.skipif(not WEATHER.exists(), reason="the shared cases do not stand beside this checkout")
def test_rows_of_weather_with_missing_values_and_a_malformed_one(root):
    lines = WEATHER.read_text().splitlines(keepends=True)[:701]
    (root / "weather.csv").write_text("".join([*lines[:501], "EWR,2013,broken\n", *lines[501:]]))
    trigger = watch_rows(read={"nulls": ["NA"], "types": {"wind_gust": "number"}})

    look_until_quiet(trigger)

    assert Run.objects.count() == 700
    refused = Arrival.objects.get(decision=ArrivalDecision.REFUSED)
    assert refused.reason == "Row 501: it has 3 fields, the header has 15."
