"""Secrets of an embedded installation: made once, one file each, readable by their owner only."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from brainops.stack.place import Place

KEYS = ("encryption_keys", "secret_key")  # the files without which the database's secrets cannot be read


def password(place: Place, name: str) -> str:
    """A random password that is safe in URLs and configuration files."""
    return _once(place.secrets / name, lambda: secrets.token_urlsafe(32))


def secret_key(place: Place) -> str:
    """What signs sessions and tokens."""
    return _once(place.secrets / "secret_key", lambda: secrets.token_urlsafe(64))


def encryption_keys(place: Place) -> str:
    """The key ring that encrypts stored secrets, as BRAINOPS_ENCRYPTION_KEYS takes it."""
    return _once(place.secrets / "encryption_keys", lambda: f"first:{_key()}")


def store(path: Path, text: str) -> None:
    """Write a secret so that no moment exists in which others can read it or half of it is there."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


def _once(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        store(path, make())
    return path.read_text(encoding="utf-8").strip()


def _key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
