"""The SFTP client against a real server."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.message import Message

from brainops.core.egress import http
from brainops.core.egress.errors import BlockedTarget, ConnectFailed
from integrations.runner.sftp import Login, NoFile, SftpError, entries_in, opened, read_private_key
from integrations.tests.sftp_server import PASSWORD, USERNAME, SftpServer, sftp_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with sftp_server(tmp_path_factory.mktemp("sftp")) as found:
        yield found


@pytest.fixture
def root(server: SftpServer) -> Iterator[Path]:
    """The server's folder, empty."""
    yield server.root
    for path in server.root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture(autouse=True)
def _loopback_is_open(settings: Any) -> Iterator[None]:
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    http.client.cache_clear()
    yield
    http.client.cache_clear()


@pytest.fixture
def login(server: SftpServer, root: Path) -> Login:
    return Login("127.0.0.1", server.port, USERNAME, frozenset({server.fingerprint}), password=PASSWORD)


def test_files_are_listed_read_moved_and_deleted(root, login):
    (root / "in").mkdir()
    (root / "in/a.csv").write_bytes(b"a,b\n1,2\n")
    (root / "in/deep").mkdir()
    (root / "in/link").symlink_to("a.csv")

    with opened(login) as files:
        listed = {found.name: (found.is_file, found.is_folder, found.size) for found in files.entries("/in")}
        content = b"".join(files.read("/in/a.csv", 8))
        files.make_folder("/done")
        files.make_folder("/done")
        files.rename("/in/a.csv", "/done/a.csv")
        files.make_empty("/done/a.csv.done")
        files.make_empty("/done/a.csv.done")
        gone, there = files.look("/in/a.csv"), files.look("/done/a.csv")
        files.remove("/done/a.csv")
        files.remove("/done/a.csv")

    assert {name: kinds[:2] for name, kinds in listed.items()} == {
        "a.csv": (True, False),
        "deep": (False, True),
        "link": (False, False),
    }
    assert (content, gone, there.size) == (b"a,b\n1,2\n", None, 8)
    assert [path.name for path in (root / "done").iterdir()] == ["a.csv.done"]


@pytest.mark.parametrize("name", [b"caf\xe9.csv", b"new\nline.csv", b"x" * 255, "ü €.csv".encode()], ids=str)
def test_any_name_comes_back_as_it_is(root, login, name):
    (root / os.fsdecode(name)).write_bytes(b"x")

    with opened(login) as files:
        [found] = files.entries("/")
        content = b"".join(files.read(f"/{found.name}", 1))

    assert (os.fsencode(found.name), content) == (name, b"x")


def test_a_large_file_is_read_piece_by_piece(root, login):
    data = os.urandom(1 << 10) * 3_000
    (root / "large").write_bytes(data)

    with opened(login) as files:
        pieces = list(files.read("/large", len(data)))

    assert (max(map(len, pieces)) <= 32 << 10, b"".join(pieces)) == (True, data)


def test_a_private_key_logs_in(login, server):
    by_key = replace(login, password="", private_key=server.private_key)

    with opened(by_key) as files:
        assert list(files.entries("/")) == []


def test_another_host_key_is_refused_before_the_password_is_said(login, server):
    other = replace(login, host_keys=frozenset({"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}))

    with pytest.raises(SftpError) as refused, opened(other):
        pass

    assert refused.value.code == "wrong_host_key"
    assert refused.value.message == (
        f"127.0.0.1:{server.port} shows the key ssh-ed25519 {server.fingerprint}, which is none of the pinned ones. "
        "If it is the right server, pin this key; else somebody listens."
    )


def test_a_wrong_password_is_refused_and_not_repeated_in_the_message(login):
    with pytest.raises(SftpError) as refused, opened(replace(login, password="wr0ng-secret")):
        pass

    assert refused.value.code == "login_refused"
    assert "wr0ng-secret" not in refused.value.message


@pytest.mark.parametrize(
    "text", ["", "no key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"], ids=["none", "text", "cut"]
)
def test_what_is_no_private_key_is_told_without_showing_it(text):
    with pytest.raises(SftpError) as refused:
        read_private_key(text)

    assert refused.value.code == "bad_private_key"


def test_a_folder_that_is_not_there_is_told(login):
    with pytest.raises(NoFile) as refused, opened(login) as files:
        list(files.entries("/missing"))

    assert refused.value.message.startswith("'/missing' is not there, or may not be touched: ")


def test_a_server_that_is_away_is_told(login):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(ConnectFailed), opened(replace(login, port=port)):
        pass


def test_what_is_no_ssh_server_is_told(login):
    def answer(listener: socket.socket) -> None:
        with listener.accept()[0] as connected:
            connected.sendall(b"HTTP/1.1 400 Bad\r\n" * 99)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer, args=(listener,))
        answering.start()
        with pytest.raises(SftpError) as refused, opened(replace(login, port=listener.getsockname()[1])):
            pass
        answering.join()

    assert refused.value.code == "no_ssh"


def test_a_private_address_is_blocked(login, settings):
    settings.BRAINOPS_EGRESS_ALLOW = []
    http.client.cache_clear()

    with pytest.raises(BlockedTarget), opened(login):
        pass


def test_a_listing_that_promises_more_than_it_holds_is_refused():
    promised = Message()
    promised.add_int(4_000_000_000)
    promised.add_string(b"a.csv")

    with pytest.raises(paramiko.SFTPError, match="cut off"):
        entries_in(Message(promised.asbytes()))
