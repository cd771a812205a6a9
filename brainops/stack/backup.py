"""`bin/brainops backup` and `restore`: the database in one file, taken while everything runs.

The file is pg_dump's own format: a consistent picture of one moment. The keys are never in it.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from psycopg2 import sql

from brainops.stack import secret_files
from brainops.stack.binaries import find_postgres
from brainops.stack.borrowed import own_servers, product_environment
from brainops.stack.embedded import DATABASE
from brainops.stack.phases import database_lock
from brainops.stack.place import Place
from brainops.stack.postgres import Postgres
from brainops.stack.secret_files import KEYS
from brainops.stack.state import alone

DRAFT = "brainops_restored"  # the database that a restore fills before it takes the old one's place
HAS_TABLES = "select 1 from pg_tables where schemaname = 'public' limit 1"


class BackupError(Exception):
    """A backup that could not be made or put back; nothing was changed."""


def backup(place: Place, file: Path) -> int:
    """Write the database to `file`, readable by its owner only. Raises BackupError."""
    if file.exists():
        raise BackupError(f"{file} exists already; name a new file.")
    draft = file.with_name(f"{file.name}.draft")
    with product_environment(place) as environment:
        url = environment["DATABASE_URL"]
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        try:
            with database_lock(url):  # no migration meanwhile
                _run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", f"--file={draft}"], url)
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    print(f"Wrote {file} ({file.stat().st_size:,} bytes).")
    print(f"The keys are not in it. Keep a copy of these apart from it: {', '.join(map(str, key_files(place)))}")
    return 0


def restore(place: Place, file: Path, *, keys: Path | None, is_certain: bool) -> int:
    """Put the database of `file` in place of this installation's; `keys` is a folder with the key files.

    Everything must be down. What is there is replaced only when the whole file could be read. Raises BackupError.
    """
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    place.create()
    with alone(place):
        if keys is not None:
            _take_keys(place, keys, is_certain=is_certain)
        with own_servers(place) as (servers, _port):
            if servers.postgres is None:
                raise BackupError(
                    "DATABASE_URL names a server of yours: restore there with pg_restore (docs/operations.md)."
                )
            _replace(servers.postgres, file, is_certain=is_certain)
    print(f"Restored {file}. Start with: bin/brainops up")
    print("Never let the installation it was taken from go on beside this one: both would do the same work.")
    return 0


def key_files(place: Place) -> list[Path]:
    """The files without which a backup is worth little: secrets cannot be read, logins and the audit chain break."""
    return [place.secrets / name for name in KEYS]


def _replace(postgres: Postgres, file: Path, *, is_certain: bool) -> None:
    if postgres.execute_in(DATABASE, HAS_TABLES) and not is_certain:
        raise BackupError("This installation has data. Replace it with: bin/brainops restore FILE --yes")
    _drop(postgres, DRAFT)
    postgres.create_database(DRAFT)
    try:
        _fill(postgres, file)
    except BackupError:
        _drop(postgres, DRAFT)
        raise
    _drop(postgres, DATABASE)
    postgres.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(DRAFT), sql.Identifier(DATABASE)))


def _fill(postgres: Postgres, file: Path) -> None:
    options = ["--no-owner", "--no-privileges", "--exit-on-error"]
    _run("pg_restore", [*options, f"--dbname={DRAFT}", str(file)], postgres.url(DRAFT))
    if not postgres.execute_in(DRAFT, "select 1 from pg_tables where tablename = 'django_migrations'"):
        raise BackupError(f"{file} holds no BrainOps database.")


def _drop(postgres: Postgres, name: str) -> None:
    postgres.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _take_keys(place: Place, folder: Path, *, is_certain: bool) -> None:
    missing = [name for name in KEYS if not (folder / name).is_file()]
    if missing:
        raise BackupError(f"{folder} has no {' and no '.join(missing)}.")
    for name in KEYS:
        text = (folder / name).read_text(encoding="utf-8")
        target = place.secrets / name
        if target.exists() and target.read_text(encoding="utf-8").strip() != text.strip() and not is_certain:
            raise BackupError(f"{target} holds another key. Replace it with: --yes")
    for name in KEYS:
        secret_files.store(place.secrets / name, (folder / name).read_text(encoding="utf-8"))


def _run(program: str, arguments: list[str], url: str) -> None:
    """Run a client program of PostgreSQL. The password goes by the environment: a command line is public."""
    done = subprocess.run(
        [find_postgres(os.environ).program(program), *arguments],
        env=_client_environment(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackupError(f"{program} failed with code {done.returncode}:\n{done.stderr.strip()}")


def _client_environment(url: str) -> Mapping[str, str]:
    parts = urlsplit(url)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    said = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
        "PGCONNECT_TIMEOUT": "10",
    }
    return kept | {name: value for name, value in said.items() if value}
