"""Redaction: secrets are masked before anything is logged, stored with a run, or shown.

Two nets. By key: a value under a name such as `password` or `authorization`. By value: every secret that this process
has decrypted is registered, and then masked wherever it appears, also base64, URL-encoded or JSON-escaped.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "•••"

_SECRET_KEY = re.compile(
    r"passw(or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|authorization|credential|cookie|signature"
    r"|encryption[_-]?key|dsn|database_url|redis_url|broker_url",
    re.IGNORECASE,
)
# Names that hold such a word and no secret: how many, which one, when.
_HARMLESS_KEY = re.compile(
    r"(_id|_ids|_at|_count|_seconds|_version|_type|_kind|_scheme|_header)$|^tokens?_used$", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^/\s@]+)(?=@)")
# In free text: `password=abc`, `"x-api-key": "abc"`, `Authorization: Digest abc`; and `Bearer abc` anywhere.
_CREDENTIAL = re.compile(
    rf"(?P<name>(?:{_SECRET_KEY.pattern})[\w-]{{0,40}})(?P<sign>[\"']?\s{{0,5}}[:=]\s{{0,5}}[\"']?)"
    r"(?:(?:bearer|basic|token|digest)\s+)?[^\s\"',;}\]&]+",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"(cookie[\"']?\s{0,5}[:=]\s{0,5}[\"']?)[^\r\n\"']+", re.IGNORECASE)
_SCHEME = re.compile(r"\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
_SHORTEST = 6  # characters; masking shorter values would mask half of every text
_DEPTH = 40
_TELLING_LINE = 16  # characters
_PERCENT = re.compile("%[0-9A-F]{2}")
_MOST_IN_PATTERN = 100  # forms; about five secrets
_LONG_TEXT = 1_000  # characters


class SecretValues:
    """The secrets this process knows, in all the forms they may appear in. Thread-safe.

    A few are found by one pattern. Compiling one for 400 secrets takes 0.4 s, and each new secret needs a new one, so
    many are found by how they begin: some 30 µs for a line of 90 characters, however many they are.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._listed: tuple[str, ...] = ()  # the same, the longest first
        self._by_start: dict[str, tuple[str, ...]] = {}
        self._pattern: re.Pattern[str] | None = None

    def register(self, value: str) -> None:
        """Remember a secret. Values shorter than six characters cannot be told from text and are not kept."""
        if len(value) < _SHORTEST or value in self._forms:
            return
        with self._lock:
            for form in set(_forms(value)) - self._forms:
                start = form[:_SHORTEST]
                self._by_start[start] = _longest_first((*self._by_start.get(start, ()), form))
                self._forms.add(form)
            self._listed = _longest_first(self._forms)
            is_few = len(self._forms) <= _MOST_IN_PATTERN
            self._pattern = re.compile("|".join(map(re.escape, self._listed))) if is_few else None

    def mask(self, text: str) -> str:
        """The text without any registered secret."""
        if len(text) > _LONG_TEXT:  # searching for one form after the other is five times as fast as the pattern
            for form in self._listed:
                text = text.replace(form, MASK)
            return text
        pattern = self._pattern
        if pattern:
            return pattern.sub(MASK, text)
        return self._mask_by_start(text) if self._by_start else text

    def without(self, value: Any) -> Any:
        """A copy of a JSON value of any depth in which no registered secret stands, not in keys and not as a number."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.without(key): self.without(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.without(inner) for inner in value]
        if type(value) not in (int, float):
            return value
        return MASK if self.mask(text := str(value)) != text else value

    def forget_all(self) -> None:
        """Forget every secret (for tests, and after a key rotation)."""
        with self._lock:
            self._forms, self._listed, self._by_start, self._pattern = set(), (), {}, None

    def _mask_by_start(self, text: str) -> str:
        parts, done, at = [], 0, 0
        while at <= len(text) - _SHORTEST:
            forms = self._by_start.get(text[at : at + _SHORTEST], ())
            found = next((form for form in forms if text.startswith(form, at)), None)
            if found is None:
                at += 1
                continue
            parts += [text[done:at], MASK]
            at = done = at + len(found)
        return "".join([*parts, text[done:]])


def _longest_first(forms: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(forms, key=len, reverse=True))


_known = SecretValues()
_of_workspaces = SecretValues()
register = _known.register


def register_for_logs(value: str) -> None:
    """Remember a secret of one workspace: it is masked in the lines of this process and in no other workspace's data.

    Whoever could see where another one's secret is masked could guess at it.
    """
    _of_workspaces.register(value)


def forget_all() -> None:
    """Forget every secret (for tests, and after a key rotation)."""
    _known.forget_all()
    _of_workspaces.forget_all()


def redact_logged(value: Any, *, key: str = "") -> Any:
    """As `redact`, for what operators read: without the secrets of any workspace."""
    return _of_workspaces.without(redact(value, key=key))


def redact(value: Any, *, key: str = "") -> Any:
    """A copy of a JSON value with the secrets masked. Values that are no JSON come back as they are."""
    return _redact(value, key, _DEPTH)


def redact_text(text: str) -> str:
    """The text with registered secrets and passwords inside URLs masked."""
    return _known.mask(_URL_PASSWORD.sub(rf"\1:{MASK}", text) if "://" in text else text)


def redact_line(text: str) -> str:
    """A line for people, also without what follows `Authorization:`, `password=`, `Bearer` and their like."""
    text = redact_text(text)
    if ":" in text or "=" in text:
        text = _CREDENTIAL.sub(_without_credential, _COOKIE.sub(rf"\1{MASK}", text))
    return _SCHEME.sub(rf"\1{MASK}", text)


def _without_credential(found: re.Match[str]) -> str:
    name = found["name"]
    return f"{name}{found['sign']}{MASK}" if is_secret_key(name) else found[0]


def is_secret_key(key: str) -> bool:
    """True when a value of this name is taken for a secret."""
    return bool(_SECRET_KEY.search(key)) and not _HARMLESS_KEY.search(key)


def _redact(value: Any, key: str, depth: int) -> Any:
    if depth == 0:
        return MASK  # deeper than anything the JSON gate lets in
    if key and value not in (None, "", False, True) and is_secret_key(key):
        return MASK
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {redact_text(k) if isinstance(k, str) else k: _redact(v, str(k), depth - 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redact(item, key, depth - 1) for item in value]
    return value


def _forms(value: str) -> Iterable[str]:
    """All the ways a secret is written: as it is, without the white space around it, and a long line of it alone."""
    for text in {value, value.strip(), *_telling_lines(value)}:
        if len(text) >= _SHORTEST:
            yield from _spellings(text)


def _spellings(text: str) -> Iterable[str]:
    yield text
    for escaped in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield from (escaped, _PERCENT.sub(lambda found: found[0].lower(), escaped), quote(escaped, safe=""))
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield html.escape(text)
    raw = text.encode()
    yield raw.hex()
    yield raw.hex().upper()
    yield from _base64_forms(raw)


def _telling_lines(value: str) -> Iterable[str]:
    """The lines of a key file that are secret by themselves; services say them one by one."""
    lines = value.splitlines()
    return (line.strip() for line in lines if len(line) >= _TELLING_LINE and "-----" not in line) if lines[1:] else ()


def _base64_forms(raw: bytes) -> Iterable[str]:
    """Base64 of the value, also when it stands inside a longer text (`user:secret` in Basic authentication).

    Three bytes make four characters, so a value can start at three offsets. Characters at the ends that depend on the
    neighbours are left out.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")
        for offset in range(3):
            text = encode(b"\0" * offset + raw).decode().rstrip("=")
            start = -(-offset * 8 // 6)  # the first character free of the padding bytes
            end = (offset + len(raw)) * 8 // 6  # the last one free of what follows
            if end - start >= _SHORTEST:
                yield text[start:end]
