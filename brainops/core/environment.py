"""Typed readers of environment variables that report every mistake at once."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_KEY_BYTES = 32


class Environment:
    """Read variables, collect what is wrong, refuse once.

    A variable may also be given as NAME_FILE, the path of a file that holds the value (container secrets).
    Values that may be secret never enter a message.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[str] = []

    def text(self, name: str, default: str | None = None, *, min_length: int = 0) -> str:
        """The text of a variable. Without a default the variable is required."""
        value = self._raw(name)
        if value is None:
            return str(self._missing(name, default, "a text"))
        if len(value) < min_length:
            self._wrong(name, f"must have at least {min_length} characters, has {len(value)}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A yes or no."""
        return self._parse(name, default, _flag)

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number within bounds, both included."""
        return self._parse(name, default, lambda text: _bounded(int, text, low, high))

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        """A number within bounds, both included."""
        return self._parse(name, default, lambda text: _bounded(float, text, low, high))

    def choice(self, name: str, default: str, accepted: Sequence[str]) -> str:
        """One word of a closed list, in any case."""
        words = {word.lower(): word for word in accepted}

        def parse(text: str) -> str:
            if text.lower() not in words:
                raise ValueError(f"must be one of {', '.join(accepted)}, got {text!r}")
            return words[text.lower()]

        return self._parse(name, default, parse)

    def names(self, name: str, default: Sequence[str] | None = None) -> list[str]:
        """A comma separated list; blanks around the items are dropped."""
        value = self._raw(name)
        if value is None:
            return list(self._missing(name, default, "a comma separated list"))
        return [item.strip() for item in value.split(",") if item.strip()]

    def headers(self, name: str) -> dict[str, str]:
        """`name=value,…`; none without the variable. Values may be secret and are not repeated in a message."""
        pairs = [item.partition("=") for item in self.names(name, [])]
        if any(not key.strip() or not equals for key, equals, _ in pairs):
            self._wrong(name, "must be a list like name=value,other=value")
        return {key.strip(): value.strip() for key, _, value in pairs}

    def url(self, name: str, default: str | None, *, schemes: Sequence[str]) -> str:
        """A URL with a host. The value is not repeated in a message: it may hold a password."""
        value = self._raw(name)
        wanted = f"a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        if value is None:
            return str(self._missing(name, default, wanted))
        if not _is_url(value, schemes):
            self._wrong(name, f"must be {wanted} and names a host and, if any, a port of 1-65535")
        return value

    def database(self, name: str, default: str | None) -> dict[str, Any]:
        """Django's description of a PostgreSQL database, from postgres://user:password@host:port/name."""
        url = self.url(name, default, schemes=("postgres", "postgresql"))
        if not _is_url(url, ("postgres", "postgresql")):
            return {}
        config: dict[str, Any] = dict(environ.Env.db_url_config(url))
        if not config.get("NAME"):
            self._wrong(name, "must name a database after the host: postgres://user:password@host:5432/name")
        return config

    def key_ring(self, name: str, default: str | None) -> dict[str, bytes]:
        """Encryption keys `id:key[,id:key…]`, each key 32 bytes in URL-safe base64; the first one encrypts."""
        value = self._raw(name)
        if value is None:
            value = self._missing(name, default, "id:key[,id:key…], each key 32 bytes in URL-safe base64")
        ring: dict[str, bytes] = {}
        for position, item in enumerate(filter(None, (part.strip() for part in value.split(","))), start=1):
            try:
                key_id, key = _key(item)
            except ValueError as error:
                self._wrong(name, f"entry {position} {error}")
                continue
            if key_id in ring:
                self._wrong(name, f"entry {position} repeats the key id {key_id!r}")
            ring[key_id] = key
        return ring

    def mail_server(self, name: str) -> dict[str, Any]:
        """Django's EMAIL_* settings from `smtp://[user:password@]host[:port]` or `smtps://…`; {} when not set.

        smtps speaks TLS at once (port 465); smtp turns to it by STARTTLS (port 587) unless `?tls=none` says otherwise.
        """
        url = self.url(name, "", schemes=("smtp", "smtps"))
        if not _is_url(url, ("smtp", "smtps")):
            return {}
        parts = urlsplit(url)
        tls = dict(parse_qsl(parts.query)).get("tls", "starttls")
        if tls not in ("starttls", "none"):
            self._wrong(name, "must end in ?tls=starttls, ?tls=none or nothing")
        is_tls = parts.scheme == "smtps"
        return {
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": parts.port or (465 if is_tls else 587),
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_SSL": is_tls,
            "EMAIL_USE_TLS": not is_tls and tls == "starttls",
        }

    def refuse(self, message: str) -> None:
        """Add a mistake that only the caller can see, such as two variables that contradict each other."""
        self.problems.append(message)

    def finish(self) -> None:
        """Raise ImproperlyConfigured with the list of all mistakes, if there is one."""
        if not self.problems:
            return
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        raise ImproperlyConfigured(
            f"The environment is not usable ({len(self.problems)} wrong):\n{lines}\n"
            "(An installation started by `bin/brainops up` has its own: use `bin/brainops manage <command>`.)"
        )

    def _raw(self, name: str) -> str | None:
        path = self._values.get(f"{name}_FILE", "")
        if path:
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                self._wrong(f"{name}_FILE", f"names a file that cannot be read: {error}")
        value = self._values.get(name, "").strip()
        return value or None  # an empty variable counts as not set, as in most shells' `${NAME:-}`

    def _missing(self, name: str, default: Any, wanted: str) -> Any:
        if default is None:
            self.problems.append(f"{name} is not set. It must be {wanted}.")
            return ""
        return default

    def _wrong(self, name: str, reason: str) -> None:
        self.problems.append(f"{name} {reason}.")

    def _parse(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        value = self._raw(name)
        if value is None:
            return default
        try:
            return parse(value)
        except ValueError as error:
            self._wrong(name, str(error))
            return default


def _flag(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError(f"must be one of {', '.join(_TRUE + _FALSE)}, got {text!r}")
    return text.lower() in _TRUE


def _bounded(kind: Callable[[str], Any], text: str, low: float, high: float) -> Any:
    noun = "a whole number" if kind is int else "a number"
    wanted = f"must be {noun} from {low} to {high}, got {text!r}"
    try:
        value = kind(text)
    except ValueError as error:
        raise ValueError(wanted) from error
    if not low <= value <= high:  # also refuses NaN
        raise ValueError(wanted)
    return value


def _is_url(value: str, schemes: Sequence[str]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an unclosed [
        return False


def _key(item: str) -> tuple[str, bytes]:
    key_id, colon, encoded = item.partition(":")
    if not colon or not key_id.isascii() or not key_id.isalnum():
        raise ValueError("must look like id:key with an id of letters and digits")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("holds a key that is not URL-safe base64") from error
    if len(key) != _KEY_BYTES:
        raise ValueError(f"holds a key of {len(key)} bytes; {_KEY_BYTES} are needed")
    return key_id, key
