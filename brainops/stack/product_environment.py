"""The environment the product's processes run in, and the file that keeps it for later commands."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainops.stack import secret_files
from brainops.stack.place import CHECKOUT, Place
from brainops.stack.secret_files import store


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the database, the broker and the product itself are."""

    database: str
    redis: str
    public: str
    port: int


def product_settings(place: Place, addresses: Addresses, given: Mapping[str, str]) -> dict[str, str]:
    """What an embedded installation sets; a variable the caller has set already wins."""
    settings = {
        "DATABASE_URL": addresses.database,
        "REDIS_URL": addresses.redis,
        "BRAINOPS_SECRET_KEY": secret_files.secret_key(place),
        "BRAINOPS_ENCRYPTION_KEYS": secret_files.encryption_keys(place),
        "BRAINOPS_PUBLIC_URL": addresses.public,
        "BRAINOPS_LOG_FORMAT": "console",
        "BRAINOPS_DATA": str(place.data),
        "PORT": str(addresses.port),
    }
    return {name: given.get(name, value) for name, value in settings.items() if name != "PORT"} | {
        "PORT": settings["PORT"]
    }


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Our own environment with `settings` on top, and our virtual environment's programs first."""
    programs = str(Path(sys.executable).parent)
    return os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "brainops.settings",  # not another project's, left in the shell
        # macOS kills forked children that touch its frameworks without this (celery#4113).
        **({"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"} if sys.platform == "darwin" else {}),
        **settings,
    }


def save_settings(path: Path, settings: Mapping[str, str]) -> None:
    """Write NAME=value lines, readable by us only: they hold passwords."""
    store(path, "".join(f"{name}={value}\n" for name, value in sorted(settings.items())))


def load_settings(path: Path) -> dict[str, str]:
    """Read what `save_settings` wrote; nothing when the file is not there yet."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)
