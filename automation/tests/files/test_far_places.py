"""Files on an SFTP server and in a bucket, on real servers: taken once, put away, away, and not who they say."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automation.models import Secret, StoredFile
from automation.services import files
from automation.tests.files.rows import items_of, look_once, look_until_quiet, names, said, source_of, watch
from automation.triggers.file_places.bucket import BucketFolder
from automation.triggers.file_places.contract import Gone
from brainops.core.egress import http
from integrations.runner.s3 import Bucket
from integrations.runner.s3_signing import Credentials
from integrations.tests.s3_server import MANY, s3_server
from integrations.tests.sftp_server import PASSWORD, USERNAME, SftpServer, sftp_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("open_door")]

S3_SECRET = "s3cr3t-of-the-bucket"


@pytest.fixture(scope="module")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with sftp_server(tmp_path_factory.mktemp("sftp")) as found:
        yield found


@pytest.fixture
def shelf(sftp: SftpServer) -> Iterator[Path]:
    """The server's folder `in`, empty."""
    folder = sftp.root / "in"
    folder.mkdir()
    yield folder
    for path in sftp.root.iterdir():
        shutil.rmtree(path)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as found:
        yield found


@pytest.fixture
def bucket(endpoint: str, request: pytest.FixtureRequest) -> Bucket:
    credentials = Credentials("AKIDEXAMPLE", S3_SECRET, "us-east-1")
    name = f"bucket{abs(hash(request.node.nodeid))}"
    made = Bucket(name, credentials, endpoint=endpoint, path_style=True, send=http.client().send)
    made._request("PUT", "")
    return made


def watch_sftp(server: SftpServer, *, login: dict[str, str] | None = None, **config: Any) -> Any:
    asked = {
        "where": "sftp",
        "host": "127.0.0.1",
        "port": server.port,
        "username": USERNAME,
        **(login or {"password_secret": "SFTP_PASSWORD"}),
        "host_keys": [server.fingerprint],
        "folder": "/in",
    }
    return watch(secrets={"SFTP_PASSWORD": PASSWORD, "SFTP_KEY": server.private_key}, **{**asked, **config})


def watch_bucket(found: Bucket, endpoint: str, **config: Any) -> Any:
    asked = {
        "where": "s3",
        "bucket": found.name,
        "endpoint": endpoint,
        "path_style": True,
        "access_key_id": "AKIDEXAMPLE",
        "secret_key_secret": "S3_SECRET_KEY",
    }
    return watch(secrets={"S3_SECRET_KEY": S3_SECRET}, **{**asked, **config})


@pytest.mark.parametrize("after", ["leave", "mark", "move", "delete"])
def test_files_of_a_server_are_taken_once_and_put_away(sftp, shelf, after):
    (shelf / "a.csv").write_bytes(b"id\n1\n")
    (shelf / "deep").mkdir()
    (shelf / "deep" / "b.csv").write_bytes(b"id\n2\n")
    (shelf / "link.csv").symlink_to("a.csv")
    to = {"move_to": "/in/done/today"} if after == "move" else {}
    trigger = watch_sftp(sftp, recursive=True, after=after, **to)

    look_until_quiet(trigger)
    look_until_quiet(trigger)

    left = {
        "leave": ["a.csv", "b.csv"],
        "mark": ["a.csv", "a.csv.done", "b.csv", "b.csv.done"],
        "move": ["a.csv", "b.csv"],
        "delete": [],
    }
    assert sorted(item["path"] for item in items_of(trigger)) == ["a.csv", "deep/b.csv"]
    assert files.open_file(trigger.workspace_id, items_of(trigger)[0]["file"]).read() == b"id\n1\n"
    standing = sorted(path for path in shelf.rglob("*") if path.is_file() and not path.is_symlink())
    assert [path.name for path in standing] == left[after]
    assert after != "move" or {path.parent.name for path in standing} == {"today"}


@pytest.mark.parametrize(
    "name", [b"caf\xe9.csv", b"new\nline.csv", b"x" * 251 + b".csv"], ids=["bytes", "newline", "long"]
)
def test_a_file_of_any_name_is_taken_from_a_server(sftp, shelf, name):
    (shelf / name.decode("utf-8", "surrogateescape")).write_bytes(b"1")
    trigger = watch_sftp(sftp, after="delete")

    look_until_quiet(trigger)

    assert (len(names(trigger)), list(shelf.iterdir())) == (1, [])


def test_a_server_is_logged_in_to_by_key(sftp, shelf):
    (shelf / "a.csv").write_bytes(b"1")
    trigger = watch_sftp(sftp, login={"private_key_secret": "SFTP_KEY"})

    look_until_quiet(trigger)

    assert names(trigger) == ["a.csv"]


def test_a_server_with_another_key_is_told_nothing(sftp, shelf):
    (shelf / "a.csv").write_bytes(b"1")
    trigger = watch_sftp(sftp, host_keys=["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])

    source = look_once(trigger)

    assert (source.last_error_code, source.failures, said(trigger)) == ("wrong_host_key", 1, [])
    assert sftp.fingerprint in source.last_error


def test_a_server_that_is_away_is_asked_again_later_and_then_nothing_is_missed(sftp, shelf):
    (shelf / "a.csv").write_bytes(b"1")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        trigger = watch_sftp(sftp, port=nobody.getsockname()[1])
        away = [look_once(trigger).failures for _ in range(3)]
    assert source_of(trigger).last_error_code == "connect_failed"
    trigger.config = {**trigger.config, "port": sftp.port}
    trigger.save()

    look_until_quiet(trigger)

    assert (away, names(trigger), source_of(trigger).failures) == ([1, 2, 3], ["a.csv"], 0)


def test_a_password_bound_to_other_hosts_is_not_said(sftp, shelf):
    trigger = watch_sftp(sftp)
    Secret.objects.filter(name="SFTP_PASSWORD").update(hosts=["sftp.example.com"])

    source = look_once(trigger)

    assert source.last_error_code == "host_not_allowed"
    assert PASSWORD not in source.last_error


def test_a_secret_that_is_missing_is_told_by_name(sftp, shelf):
    trigger = watch_sftp(sftp)
    Secret.objects.all().delete()

    assert look_once(trigger).last_error_code == "secret_missing"


@pytest.mark.parametrize("after", ["leave", "mark", "move", "delete"])
def test_objects_of_a_bucket_are_taken_once_and_put_away(bucket, endpoint, after):
    for key in ("in/a.csv", "in/ü 1+2%.csv", "other/b.csv"):
        bucket.put(key, b"id\n1\n")
    bucket.put("in/folder/", b"")
    to = {"move_to": "done"} if after == "move" else {}
    trigger = watch_bucket(bucket, endpoint, folder="in", recursive=True, after=after, stable_for="1h", **to)

    look_until_quiet(trigger)
    look_until_quiet(trigger)

    left = {
        "leave": ["in/a.csv", "in/ü 1+2%.csv"],
        "mark": ["in/a.csv", "in/a.csv.done", "in/ü 1+2%.csv", "in/ü 1+2%.csv.done"],
        "move": ["done/a.csv", "done/ü 1+2%.csv"],
        "delete": [],
    }
    assert sorted(names(trigger)) == ["a.csv", "ü 1+2%.csv"]
    standing = [one.key for one in bucket.objects("") if one.key not in ("in/folder/", "other/b.csv")]
    assert sorted(standing) == left[after]


def test_an_object_that_is_written_anew_is_taken_anew(bucket, endpoint):
    bucket.put("a.csv", b"1")
    trigger = watch_bucket(bucket, endpoint)
    look_until_quiet(trigger)

    bucket.put("a.csv", b"2")
    look_until_quiet(trigger)

    assert names(trigger) == ["a.csv", "a.csv"]


def test_a_bucket_of_thousands_of_objects_is_known_and_a_new_one_is_found(bucket, endpoint):
    bucket.name = MANY
    bucket._base = f"/{MANY}"
    trigger = watch_bucket(bucket, endpoint, folder="in", first="skip")
    look_once(trigger)

    bucket.put("in/new.csv", b"1")
    look_once(trigger)
    bucket.delete("in/new.csv")

    assert (names(trigger), StoredFile.objects.count()) == (["new.csv"], 1)


def test_a_bucket_that_is_not_there_is_told_in_its_words(bucket, endpoint):
    trigger = watch_bucket(bucket, endpoint, bucket="missing-bucket")

    source = look_once(trigger)

    assert (source.last_error_code, source.last_error) == (
        "NoSuchBucket",
        "The bucket answered 404 NoSuchBucket: The specified bucket does not exist",
    )


def test_a_private_server_is_not_called(sftp, shelf, settings):
    trigger = watch_sftp(sftp)
    settings.BRAINOPS_EGRESS_ALLOW = []
    http.client.cache_clear()

    assert look_once(trigger).last_error_code == "blocked_target"


def test_an_object_that_was_replaced_since_it_was_listed_is_left_for_later(bucket):
    bucket.put("a.csv", b"1")
    place = BucketFolder(bucket, "")
    [entry] = place.files(1)
    bucket.put("a.csv", b"2")

    with pytest.raises(Gone):
        list(place.read(entry))


def test_an_object_is_moved_over_nothing_that_is_there(bucket):
    bucket.put("a.csv", b"1")
    bucket.put("done/a.csv", b"older")
    place = BucketFolder(bucket, "")
    [entry] = place.files(1)

    place.move(entry, "done")

    assert {one.key for one in bucket.objects("")} == {"done/a.csv", f"done/{entry.stamp[:8]}-a.csv"}


def test_a_file_of_a_server_is_moved_over_nothing_that_is_there(sftp, shelf):
    (shelf / "a.csv").write_bytes(b"1")
    (shelf / "done").mkdir()
    (shelf / "done" / "a.csv").write_bytes(b"older")
    trigger = watch_sftp(sftp, after="move", move_to="/in/done")

    look_until_quiet(trigger)

    assert sorted(path.read_bytes() for path in (shelf / "done").iterdir()) == [b"1", b"older"]
    assert [path.name for path in shelf.iterdir()] == ["done"]
