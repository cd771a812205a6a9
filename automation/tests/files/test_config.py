"""What a file trigger may say, and what patterns mean."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from automation.services.trigger_checks import config_problems
from automation.triggers import all_trigger_kinds
from automation.triggers.file_listing import _folder_inside
from automation.triggers.file_patterns import fits
from brainops.core.checks import check_file_roots
from brainops.core.file_roots import FileRoot, parse_roots

HOST_KEY = "SHA256:uNiVztksCsDhcc0u9e8BrrJXVqDneTDI2k5hRZ5pU5Y"
LOCAL = {"where": "local", "root": "shared"}
SFTP = {"where": "sftp", "host": "h.example", "username": "u", "host_keys": [HOST_KEY], "password_secret": "P"}
S3 = {"where": "s3", "bucket": "b-1", "access_key_id": "A", "secret_key_secret": "S"}


@pytest.fixture(autouse=True)
def _one_root(settings: Any) -> None:
    settings.BRAINOPS_FILE_ROOTS = ["shared=/srv/shared"]


def problems(config: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.code, one.pointer) for one in config_problems(all_trigger_kinds()["file"], config)]


@pytest.mark.parametrize("config", [LOCAL, SFTP, S3], ids=["local", "sftp", "s3"])
def test_each_place_needs_little(config):
    assert problems(config) == []


@pytest.mark.parametrize(
    ("config", "code", "pointer"),
    [
        ({"where": "ftp"}, "invalid_value", "/config/where"),
        ({"where": "local"}, "required", "/config/root"),
        ({**LOCAL, "root": "other"}, "unknown_root", "/config/root"),
        ({**LOCAL, "bucket": "b-1"}, "not_of_this_place", "/config/bucket"),
        ({**LOCAL, "folder": "../etc"}, "bad_folder", "/config/folder"),
        ({**LOCAL, "folder": "a/./b"}, "bad_folder", "/config/folder"),
        ({**LOCAL, "folder": "a\x00b"}, "bad_folder", "/config/folder"),
        ({**LOCAL, "after": "move", "move_to": "a/../.."}, "bad_folder", "/config/move_to"),
        ({**LOCAL, "after": "move"}, "required", "/config/move_to"),
        ({**LOCAL, "move_to": "done"}, "required", "/config/move_to"),
        ({**LOCAL, "every": "100ms"}, "out_of_range", "/config/every"),
        ({**LOCAL, "stable_for": "2h"}, "out_of_range", "/config/stable_for"),
        ({**LOCAL, "read": {}}, "not_of_this_delivery", "/config/read"),
        ({**LOCAL, "include": ["**/a/**/b/**/c/**/d"]}, "too_deep", "/config/include/0"),
        ({**SFTP, "private_key_secret": "K"}, "required", "/config/password_secret"),
        ({**SFTP, "host_keys": ["MD5:aa"]}, "invalid_value", "/config/host_keys/0"),
        ({**SFTP, "host_keys": []}, "too_few", "/config/host_keys"),
        ({**S3, "endpoint": "https://169.254.169.254"}, "blocked_target", "/config/endpoint"),
        ({**S3, "endpoint": "https://user@s3.example"}, "invalid_value", "/config/endpoint"),
    ],
    ids=[str(number) for number in range(1, 20)],
)
def test_what_does_not_fit_is_told_where(config, code, pointer):
    assert problems(config) == [(code, pointer)]


def test_everything_a_file_trigger_does_stands_in_its_config():
    complete = all_trigger_kinds()["file"].complete

    assert complete({**LOCAL, "deliver": "items"}) == {
        **LOCAL,
        "folder": "",
        "include": ["*"],
        "exclude": [".*", "*.tmp", "*.part", "*.filepart", "*.crdownload", "~*"],
        "recursive": False,
        "depth": 5,
        "min_bytes": 0,
        "stable_for": "2s",
        "every": "30s",
        "first": "skip",
        "dedupe": "version",
        "deliver": "items",
        "read": {},
        "after": "leave",
    }
    assert complete(SFTP)["port"] == 22


def test_another_pattern_goes_on_where_the_trigger_stands_and_another_folder_does_not():
    polling = all_trigger_kinds()["file"].polling
    assert polling is not None

    before = polling.origin({**LOCAL, "include": ["*.csv"], "every": "5s", "folder": "a"})

    assert before == polling.origin({**LOCAL, "include": ["*"], "every": "9s", "folder": "a"})
    assert before != polling.origin({**LOCAL, "include": ["*.csv"], "every": "5s", "folder": "b"})


@pytest.mark.parametrize(
    ("path", "pattern", "is_fit"),
    [
        ("a.csv", "*.csv", True),
        ("in/deep/a.csv", "*.csv", True),
        ("a.CSV", "*.csv", False),
        ("in/a.csv", "in/*.csv", True),
        ("in/deep/a.csv", "in/*.csv", False),
        ("in/deep/a.csv", "in/**/*.csv", True),
        ("in/a.csv", "in/**/*.csv", True),
        ("in/a.csv", "**/a.csv", True),
        ("2026-01.csv", "20[0-9][0-9]-??.csv", True),
        ("new\nline.csv", "*.csv", True),
        ("a" * 200, "*a*a*a*a*a*a*a*b", False),
    ],
    ids=[str(number) for number in range(1, 12)],
)
def test_patterns_fit_names_and_paths(path, pattern, is_fit):
    assert fits(path, pattern) is is_fit


@pytest.mark.parametrize(
    ("folder", "to", "inside"),
    [("in", "in/done", "done/"), ("", "done", "done/"), ("in", "done", ""), ("in", "inner/done", ""), ("/in/", "/in/a/b", "a/b/")],
    ids=["inside", "root", "beside", "alike", "slashes"],
)  # fmt: skip
def test_where_taken_files_go_is_not_looked_into(folder, to, inside):
    assert _folder_inside({"folder": folder, "move_to": to}) == inside


def test_roots_are_named_and_may_be_of_one_workspace():
    home = uuid4()

    found = parse_roots(["orders=/srv/orders", f"in-2@{home}=/srv/in two"])

    assert found == {"orders": FileRoot("/srv/orders"), "in-2": FileRoot("/srv/in two", home)}
    assert [root.is_open_to(home) for root in found.values()] == [True, True]
    assert [root.is_open_to(uuid4()) for root in found.values()] == [True, False]


@pytest.mark.parametrize("entry", ["/srv", "a=srv", "A=/srv", "a@x=/srv", "=/srv"], ids=str)
def test_what_is_no_root_is_refused_by_name(entry):
    with pytest.raises(ValueError, match="BRAINOPS_FILE_ROOTS"):
        parse_roots([entry])


def test_a_root_is_named_once():
    with pytest.raises(ValueError, match="names the root 'a' twice"):
        parse_roots(["a=/x", "a=/y"])


def test_a_root_that_opens_nothing_is_told_at_the_start(settings):
    settings.BRAINOPS_FILE_ROOTS = ["/srv"]

    assert [error.msg for error in check_file_roots(None)] == [
        "BRAINOPS_FILE_ROOTS: '/srv' is no root; write name=/folder or name@workspace-id=/folder."
    ]
