"""Backup and restore on the embedded servers, for real; the product itself is in tests/operations."""

import stat

import pytest

from brainops.stack.backup import BackupError, backup, restore
from brainops.stack.borrowed import own_servers
from brainops.stack.embedded import DATABASE
from brainops.stack.place import Place
from brainops.stack.state import Busy, alone

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


@pytest.fixture(autouse=True)
def _embedded(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture
def fresh(tmp_path):
    fresh = Place(tmp_path / "fresh")
    fresh.create()
    return fresh


def write(place, *names):
    """Make a database of ours with some rows."""
    with alone(place), own_servers(place) as (servers, _port):
        servers.postgres.execute_in(DATABASE, "create table django_migrations (name text)")
        for name in names:
            servers.postgres.execute_in(DATABASE, "insert into django_migrations values (%s)", name)


def read(place):
    with alone(place), own_servers(place) as (servers, _port):
        names = servers.postgres.execute_in(DATABASE, "select name from django_migrations order by name")
        databases = servers.postgres.execute(
            "select datname from pg_database where datname like %s order by 1", "brainops%"
        )
    return [name for (name,) in names], [name for (name,) in databases]


def test_a_backup_fills_a_fresh_installation_and_brings_its_keys(place, fresh, capsys):
    write(place, "one", "two")
    file = place.data / "saved"

    assert backup(place, file) == 0
    assert restore(fresh, file, keys=place.secrets, is_certain=False) == 0

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read(fresh) == (["one", "two"], [DATABASE])
    assert [(fresh.secrets / name).read_text() for name in ("encryption_keys", "secret_key")] == [
        (place.secrets / name).read_text() for name in ("encryption_keys", "secret_key")
    ]
    said = capsys.readouterr().out
    assert "The keys are not in it." in said
    assert (place.secrets / "encryption_keys").read_text() not in file.read_bytes().decode("latin-1")


def test_data_and_keys_that_are_there_stay_unless_somebody_is_certain(place, fresh):
    write(place, "theirs")
    write(fresh, "ours")
    backup(place, place.data / "saved")
    backup(fresh, fresh.data / "saved")  # makes its keys

    with pytest.raises(BackupError, match="has data"):
        restore(fresh, place.data / "saved", keys=None, is_certain=False)
    with pytest.raises(BackupError, match="holds another key"):
        restore(fresh, place.data / "saved", keys=place.secrets, is_certain=False)
    assert read(fresh)[0] == ["ours"]

    restore(fresh, place.data / "saved", keys=place.secrets, is_certain=True)

    assert read(fresh) == (["theirs"], [DATABASE])


def test_a_file_that_is_no_backup_changes_nothing(place):
    write(place, "ours")
    bad = place.data / "bad"
    bad.write_bytes(b"PGDMP is how such a file begins")

    with pytest.raises(BackupError, match="pg_restore failed with code 1"):
        restore(place, bad, keys=None, is_certain=True)

    assert read(place) == (["ours"], [DATABASE])


def test_refusals_before_anything_is_touched(place, tmp_path):
    file = tmp_path / "there"
    file.touch()

    with pytest.raises(BackupError, match="exists already; name a new file"):
        backup(place, file)
    with pytest.raises(BackupError, match="There is no file"):
        restore(place, tmp_path / "nowhere", keys=None, is_certain=True)
    with pytest.raises(BackupError, match="has no encryption_keys and no secret_key"):
        restore(place, file, keys=tmp_path, is_certain=True)
    with alone(place), pytest.raises(Busy):
        restore(place, file, keys=None, is_certain=True)
