"""What was recorded, without what changes from one recording to the next, and without anything secret."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
LOOPBACK = re.compile(r"http://127\.0\.0\.1:\d+")
HERE = ("http://testserver", "http://localhost:8000", "http://127.0.0.1:8000")
CURSOR = re.compile(r"\bcursor=[^&\"\s]+")
PREFIX = re.compile(r"\bbo_[A-Za-z0-9]{10}\b")
DURATION = re.compile(r"(_seconds|_ms|^(p50|p95|p99|average|lag)\w*)$")
# Members whose text opens something, is signed, or is new each time; and what stands there instead.
SHOWN = {
    "access": "eyJhbGciOiJIUzI1NiIs…",
    "refresh": "bor_Zk3…",
    "token": "Yl0mB7q…",
    "ticket": "T4nQx…",
    "secret": "shown once…",
    "key": "bo_8PveEPCd7t…",
    "idempotency_key": "bo_5jp_EWpAe…",
    "request_id": "c53bbd84a69a9449a4ebe3b8",
    "state": "rkkwLbrT1IJa…",
    "code": "492039",
    "previous_secret": "…",
    "mac": "5d41402abc4b2a76…",
    "after": "…",
}
CODES = ["7f3d-91ab…", "c02e-55d8…"]


class Stable:
    """Ids by their first appearance, times from a fixed morning on; the same all through the story."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._began = datetime.now(UTC)
        self.secrets: set[str] = set()

    def shown(self, value: Any, name: str = "") -> Any:
        """A value as it stands in the document; `name` is the member that holds it."""
        if isinstance(value, dict):
            return {self._text(key): self.shown(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return CODES if name == "recovery_codes" else [self.shown(inner, name) for inner in value]
        if isinstance(value, float) and DURATION.search(name):
            return round(value, 2)
        return self._string(value, name) if isinstance(value, str) else value

    def _string(self, text: str, name: str) -> str:
        if text.startswith("otpauth://"):
            return "otpauth://totp/ada%40example.com?secret=…&issuer=BrainOps"
        if "code_challenge=" in text:
            return "https://login.example.com/authorize?response_type=code&client_id=brainops&…"
        if name in SHOWN and _opens(text, name):
            self.secrets.add(text)
            return SHOWN[name]
        return self._text(text)

    def _text(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "…")
        text = UUID.sub(lambda found: self._id(found[0]), text)
        text = TIME.sub(lambda found: self._time(found[0]), text)
        text = CURSOR.sub("cursor=cD0wMTk5YTdjNA", text)
        text = PREFIX.sub("bo_8PveEPCd7t", LOOPBACK.sub("https://shop.example.com", text))
        text = text.replace("POST 127.0.0.1", "POST shop.example.com").replace("127.0.0.1", "203.0.113.7")
        for address in HERE:
            text = text.replace(address, "https://brainops.example.com")
        return text.replace(socket.gethostname(), "worker-1")

    def _id(self, text: str) -> str:
        return self._ids.setdefault(text, f"0199a7c4-5f00-7000-8000-{len(self._ids) + 1:012}")

    def _time(self, text: str) -> str:
        moment = parse_datetime(text)
        assert moment is not None, text
        if not moment.second and not moment.microsecond:
            days = (moment.date() - self._began.date()).days  # nine o'clock stays nine o'clock
            return f"{BEGINNING.date() + timedelta(days=days)}T{text[11:]}"
        shifted = BEGINNING + timedelta(seconds=round((moment - self._began).total_seconds()))
        return shifted.isoformat().replace("+00:00", "Z")


def _opens(text: str, name: str) -> bool:
    """Whether a text is as long as proofs are: `key` is also the name of a value, `code` that of an error."""
    return (
        text.isdigit()
        if name == "code" and len(text) < 20
        else len(text) >= 20 and " " not in text and not UUID.match(text)
    )
