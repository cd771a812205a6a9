"""A folder of this machine: what is taken, what is left, and what leads out of it."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from automation.models import Arrival, FileUse, Run, StoredFile
from automation.services import files
from automation.store.delete_runs import delete_runs
from automation.tests.files.rows import items_of, look_once, look_until_quiet, names, said, watch
from automation.triggers.file_places.local import LocalFolder

pytestmark = pytest.mark.django_db(transaction=True)


def put(folder: Any, **content: bytes) -> None:
    for name, data in content.items():
        (folder / name).write_bytes(data)


def watch_root(**config: Any) -> Any:
    return watch(where="local", root="shared", **config)


def test_each_file_starts_one_run_that_carries_it(root):
    put(root, **{"a.csv": b"id\n1\n", "b.txt": b"x"})
    trigger = watch_root(include=["*.csv"])

    look_until_quiet(trigger)
    put(root, **{"c.csv": b"id\n2\n"})
    look_until_quiet(trigger)

    first, second = items_of(trigger)
    modified = {name: first[name] for name in ("path", "name", "size")}
    assert modified == {"path": "a.csv", "name": "a.csv", "size": 5}
    assert files.open_file(trigger.workspace_id, second["file"]).read() == b"id\n2\n"
    assert second["file"]["content_type"] == "text/csv"
    assert FileUse.objects.count() == 2


def test_what_was_there_before_starts_nothing(root):
    put(root, **{"old.csv": b"1"})
    trigger = watch_root(first="skip")

    look_once(trigger)
    put(root, **{"new.csv": b"2"})
    look_until_quiet(trigger)

    assert names(trigger) == ["new.csv"]
    assert [decision for decision, _ in said(trigger)] == ["skipped first", "ran"]
    assert StoredFile.objects.count() == 1


def test_a_file_that_changes_is_taken_again_and_one_that_does_not_is_not(root):
    put(root, **{"a.csv": b"1"})
    trigger = watch_root()
    look_until_quiet(trigger)

    put(root, **{"a.csv": b"22"})
    look_until_quiet(trigger)

    assert [item["size"] for item in items_of(trigger)] == [1, 2]


def test_a_file_is_taken_when_it_has_stood_still(root, pass_time):
    trigger = watch_root(stable_for="10s")
    put(root, **{"a.csv": b"1"})
    look_once(trigger)
    look_once(trigger)

    pass_time(6)
    put(root, **{"a.csv": b"12"})
    look_once(trigger)
    pass_time(6)
    look_once(trigger)
    assert names(trigger) == []
    pass_time(6)
    look_once(trigger)

    assert [item["size"] for item in items_of(trigger)] == [2]


def test_a_file_that_grows_while_it_is_read_is_left_for_later(root, monkeypatch):
    put(root, **{"a.csv": b"x" * 600_000})
    trigger = watch_root()
    read = LocalFolder.read

    def read_and_grow(folder: LocalFolder, entry: Any) -> Any:
        for piece in read(folder, entry):
            yield piece
            with (root / "a.csv").open("ab") as file:
                file.write(b"more")

    with monkeypatch.context() as during:
        during.setattr(LocalFolder, "read", read_and_grow)
        look_once(trigger)
        look_once(trigger)
        assert (names(trigger), StoredFile.objects.count()) == ([], 0)
    look_until_quiet(trigger)

    assert names(trigger) == ["a.csv"]


def test_links_are_neither_shown_nor_followed(root, tmp_path):
    (tmp_path / "secret.csv").write_bytes(b"secret")
    (tmp_path / "outside").mkdir()
    put(tmp_path / "outside", **{"b.csv": b"secret"})
    (root / "link.csv").symlink_to(tmp_path / "secret.csv")
    (root / "folder").symlink_to(tmp_path / "outside")
    trigger = watch_root(recursive=True)

    look_until_quiet(trigger)

    assert said(trigger) == []


def test_a_file_replaced_by_a_link_between_two_looks_at_it_is_not_read(root, tmp_path, monkeypatch):
    (tmp_path / "secret.csv").write_bytes(b"secret")
    put(root, **{"a.csv": b"public"})
    trigger = watch_root()
    look_once(trigger)  # begins
    listed = LocalFolder.files

    def list_and_replace(folder: LocalFolder, depth: int) -> Any:
        found = list(listed(folder, depth))
        (root / "a.csv").unlink()
        (root / "a.csv").symlink_to(tmp_path / "secret.csv")
        return iter(found)

    monkeypatch.setattr(LocalFolder, "files", list_and_replace)
    look_once(trigger)

    assert names(trigger) == []
    assert StoredFile.objects.count() == 0
    assert said(trigger) == [("refused", "The file cannot be read: too many levels of symbolic links.")]


def test_a_folder_replaced_by_a_link_between_two_looks_at_it_is_not_entered(root, tmp_path, monkeypatch):
    (tmp_path / "outside").mkdir()
    put(tmp_path / "outside", **{"a.csv": b"secret"})
    (root / "in").mkdir()
    put(root / "in", **{"a.csv": b"public"})
    trigger = watch_root(recursive=True)
    look_once(trigger)  # begins
    listed = LocalFolder.files

    def list_and_replace(folder: LocalFolder, depth: int) -> Any:
        found = list(listed(folder, depth))
        (root / "in" / "a.csv").unlink()
        (root / "in").rmdir()
        (root / "in").symlink_to(tmp_path / "outside")
        return iter(found)

    monkeypatch.setattr(LocalFolder, "files", list_and_replace)
    look_once(trigger)

    assert (said(trigger), StoredFile.objects.count()) == ([], 0)


def test_a_pipe_makes_nobody_wait(root):
    os.mkfifo(root / "pipe.csv")
    trigger = watch_root()

    look_until_quiet(trigger)

    assert said(trigger) == []


def test_two_names_of_bytes_that_look_alike_are_two_files(root):
    for name in (b"caf\xe9.csv", b"caf\xe8.csv"):
        (root / os.fsdecode(name)).write_bytes(b"1")
    os.utime(root / os.fsdecode(b"caf\xe9.csv"), (1, 1))
    os.utime(root / os.fsdecode(b"caf\xe8.csv"), (1, 1))
    trigger = watch_root()

    look_until_quiet(trigger)

    assert sorted(names(trigger)) == ["caf%E8.csv", "caf%E9.csv"]


def test_contents_are_remembered_of_files_that_stay(root):
    put(root, **{"a.csv": b"same"})
    trigger = watch_root(dedupe="content")

    look_until_quiet(trigger)
    put(root, **{"b.csv": b"same"})
    os.utime(root / "a.csv", (5, 5))
    look_until_quiet(trigger)

    assert names(trigger) == ["a.csv"]


def test_a_file_larger_than_any_is_refused_by_name(root, settings):
    settings.BRAINOPS_LIMITS = settings.BRAINOPS_LIMITS | {"file_bytes": 1024}
    put(root, **{"large.csv": b"x" * 1025, "small.csv": b"x"})
    trigger = watch_root()

    look_until_quiet(trigger)

    assert sorted(said(trigger)) == [("ran", ""), ("refused", "The file has 1,025 bytes; at most 1,024 are taken.")]


def test_sizes_and_patterns_choose_and_what_is_on_its_way_is_left(root):
    (root / "2026" / "01").mkdir(parents=True)
    put(root, **{"a.csv": b"12", "b.csv": b"1", "c.csv": b"123456", ".d.csv": b"12", "e.csv.part": b"12"})
    put(root / "2026" / "01", **{"f.csv": b"12", "g.txt": b"12"})
    trigger = watch_root(include=["*.csv", "*.part"], min_bytes=2, max_bytes=5, recursive=True)

    look_until_quiet(trigger)

    assert sorted(item["path"] for item in items_of(trigger)) == ["2026/01/f.csv", "a.csv"]


def test_folders_are_entered_as_deep_as_is_said(root):
    (root / "1" / "2" / "3").mkdir(parents=True)
    for depth, folder in enumerate((root, root / "1", root / "1/2", root / "1/2/3"), start=1):
        put(folder, **{f"{depth}.csv": b"1"})
    trigger = watch_root(recursive=True, depth=3)

    look_until_quiet(trigger)

    assert sorted(names(trigger)) == ["1.csv", "2.csv", "3.csv"]


def test_ten_thousand_files_that_are_there_are_remembered_and_a_new_one_is_found(root):
    for number in range(10_000):
        (root / f"{number}.csv").touch()
    trigger = watch_root(first="skip")

    looks = look_until_quiet(trigger)
    put(root, **{"new.csv": b"1"})
    look_until_quiet(trigger)

    assert (looks, names(trigger)) == (5, ["new.csv"])
    assert Arrival.objects.count() == 10_001


def test_more_files_than_any_place_may_hold_are_told(root, monkeypatch):
    monkeypatch.setattr("automation.triggers.file_listing.MOST_FILES", 2)
    put(root, a=b"", b=b"", c=b"")
    trigger = watch_root()

    assert look_once(trigger).last_error_code == "too_many_files"


@pytest.mark.parametrize("entry", ["other={}", "shared@" + str(uuid4()) + "={}"], ids=["gone", "another-workspace"])
def test_a_root_that_is_not_open_to_the_workspace_is_not_read(root, settings, entry):
    put(root, **{"a.csv": b"1"})
    trigger = watch_root()
    settings.BRAINOPS_FILE_ROOTS = [entry.format(root)]

    source = look_once(trigger)

    assert (source.last_error_code, said(trigger)) == ("unknown_root", [])
    assert source.last_error == (
        "The root 'shared' is not open to this workspace. An operator can open it: BRAINOPS_FILE_ROOTS."
    )


def test_a_folder_that_is_not_there_is_told_without_where_it_would_be(root):
    trigger = watch_root(folder="missing")

    source = look_once(trigger)

    assert source.last_error == "The folder 'missing' cannot be read: no such file or directory."
    assert source.failures == 1


def test_files_go_with_the_runs_that_carry_them(root):
    put(root, **{"a.csv": b"1"})
    trigger = watch_root()
    look_until_quiet(trigger)

    with transaction.atomic(), connection.cursor() as cursor:
        delete_runs(cursor, [trigger.workflow_id])
    files.forget_expired()

    assert (Run.objects.count(), StoredFile.objects.count()) == (0, 0)
