"""What becomes of files behind their runs: marked, moved, deleted, once, also when somebody dies in between."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from automation.engine import points
from automation.models import Arrival, StoredFile
from automation.services import quotas
from automation.tests.files.rows import items_of, look_once, look_until_quiet, names, source_of, watch
from automation.triggers.file_places.contract import Unreadable
from automation.triggers.file_places.local import LocalFolder
from brainops.accounts.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def put(folder: Any, **content: bytes) -> None:
    for name, data in content.items():
        (folder / name).write_bytes(data)


def watch_root(**config: Any) -> Any:
    return watch(where="local", root="shared", **config)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"new\nline.csv", "new\nline.csv"),
        (b"caf\xe9.csv", "caf%E9.csv"),
        (b"x" * 251 + b".csv", "x" * 251 + ".csv"),
        ("ü €.csv".encode(), "ü €.csv"),
    ],
    ids=["newline", "bytes", "long", "unicode"],
)
@pytest.mark.parametrize("after", ["delete", "move"])
def test_a_file_of_any_name_is_taken_once_and_put_away(root, name, shown, after):
    (root / os.fsdecode(name)).write_bytes(b"1")
    trigger = watch_root(after=after, **({"move_to": "done"} if after == "move" else {}))

    look_until_quiet(trigger)

    assert names(trigger) == [shown]
    assert not (root / os.fsdecode(name)).exists()
    assert after == "delete" or (root / "done" / os.fsdecode(name)).read_bytes() == b"1"


def test_a_taken_file_is_marked_and_left_alone_from_then_on(root):
    put(root, **{"a.csv": b"1"})
    trigger = watch_root(after="mark")

    look_until_quiet(trigger)
    Arrival.objects.all().delete()
    look_until_quiet(trigger)

    assert names(trigger) == ["a.csv"]
    assert (root / "a.csv.done").read_bytes() == b""


def test_a_file_is_moved_over_nothing_that_is_there(root):
    (root / "in").mkdir()
    (root / "in" / "done").mkdir()
    put(root / "in" / "done", **{"a.csv": b"older"})
    put(root / "in", **{"a.csv": b"1"})
    trigger = watch_root(folder="in", recursive=True, after="move", move_to="in/done")

    look_until_quiet(trigger)

    assert names(trigger) == ["a.csv"]
    assert sorted(path.read_bytes() for path in (root / "in" / "done").iterdir()) == [b"1", b"older"]
    assert [path.name for path in (root / "in").iterdir()] == ["done"]


def test_a_file_that_was_replaced_before_it_is_put_away_stays(root, monkeypatch):
    put(root, **{"a.csv": b"1"})
    trigger = watch_root(after="delete")
    look_once(trigger)  # begins

    def replace_it(point: str) -> None:
        if point == "after_poll_commit":
            put(root, **{"a.csv": b"22"})

    with monkeypatch.context() as during:
        during.setattr(points, "hook", replace_it)
        look_once(trigger)

    assert (root / "a.csv").read_bytes() == b"22"
    look_until_quiet(trigger)
    assert ([item["size"] for item in items_of(trigger)], list(root.iterdir())) == ([1, 2], [])


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("point", ["after_poll", "in_take", "in_poll", "after_poll_commit", "after_settle"])
def test_killed_anywhere_a_file_is_taken_once_and_put_away(root, monkeypatch, point):
    put(root, **{"a.csv": b"1"})
    trigger = watch_root(after="delete")
    look_once(trigger)  # begins

    def die(reached: str) -> None:
        if reached == point:
            raise Killed

    with monkeypatch.context() as during:
        during.setattr(points, "hook", die)
        with pytest.raises(Killed):
            look_once(trigger)
    look_until_quiet(trigger)

    assert (names(trigger), list(root.iterdir())) == (["a.csv"], [])
    assert StoredFile.objects.count() == 1


def test_what_cannot_be_put_away_is_told_and_tried_again(root, monkeypatch):
    put(root, **{"a.csv": b"1"})
    trigger = watch_root(after="delete")

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as during:
        during.setattr(os, "unlink", refuse)
        look_once(trigger)
        source = look_once(trigger)
    told = (source.last_error_code, source.last_error)
    look_until_quiet(trigger)

    assert told == (
        "not_put_away",
        "'a.csv' was taken and cannot be put away (delete): operation not permitted. It is tried again.",
    )
    assert (names(trigger), list(root.iterdir()), source_of(trigger).last_error) == (["a.csv"], [], "")


def test_the_same_content_twice_starts_one_run_when_contents_count(root):
    put(root, **{"a.csv": b"same", "b.csv": b"same", "c.csv": b"other"})
    trigger = watch_root(dedupe="content", after="move", move_to="done")

    look_until_quiet(trigger)
    put(root, **{"d.csv": b"same"})
    look_until_quiet(trigger)

    assert sorted(item["file"]["size"] for item in items_of(trigger)) == [4, 5]
    assert sorted(path.name for path in (root / "done").iterdir()) == ["a.csv", "b.csv", "c.csv", "d.csv"]


def folder_with(root: Any, **content: bytes) -> tuple[LocalFolder, Any]:
    """The root as a place, and its file."""
    put(root, **content)
    place = LocalFolder(str(root), "")
    return place, next(place.files(1))


def test_a_move_that_was_cut_off_between_its_two_names_is_finished(root):
    place, entry = folder_with(root, **{"a.csv": b"1"})
    (root / "done").mkdir()
    os.link(root / "a.csv", root / "done" / "a.csv")

    place.move(entry, "done")
    place.move(entry, "done")

    assert [path.name for path in root.iterdir()] == ["done"]
    assert [path.read_bytes() for path in (root / "done").iterdir()] == [b"1"]


@pytest.mark.parametrize("stands", [False, True], ids=["free", "taken"])
def test_a_file_moves_where_files_have_one_name_only(root, monkeypatch, stands):
    place, entry = folder_with(root, **{"a.csv": b"1"})
    (root / "done").mkdir()
    if stands:
        put(root / "done", **{"a.csv": b"older"})

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    place.move(entry, "done")

    assert not (root / "a.csv").exists()
    assert sorted(path.read_bytes() for path in (root / "done").iterdir()) == ([b"1", b"older"] if stands else [b"1"])


def test_a_file_is_not_moved_through_a_link(root, tmp_path):
    (tmp_path / "outside").mkdir()
    place, entry = folder_with(root, **{"a.csv": b"1"})
    (root / "done").symlink_to(tmp_path / "outside")

    with pytest.raises(Unreadable):
        place.move(entry, "done")

    assert ((root / "a.csv").exists(), list((tmp_path / "outside").iterdir())) == (True, [])


def test_contents_that_were_there_before_start_nothing_and_later_ones_do(root):
    put(root, **{"old.csv": b"1"})
    trigger = watch_root(dedupe="content", first="skip")
    look_until_quiet(trigger)
    put(root, **{"new.csv": b"2"})

    look_until_quiet(trigger)

    assert names(trigger) == ["new.csv"]


def test_a_full_storage_lets_in_what_fits_and_says_why_the_rest_waits(root):
    put(root, **{"a.csv": b"1" * 400, "b.csv": b"2" * 400})
    os.utime(root / "a.csv", (1, 1))
    trigger = watch_root()
    Workspace.objects.filter(id=trigger.workspace_id).update(max_storage_bytes=700)
    quotas.remembered.forget_all()

    for _ in range(3):
        source = look_once(trigger)

    assert (names(trigger), source.last_error_code) == (["a.csv"], "quota_exceeded")
    assert StoredFile.objects.count() == 1
