"""Request and Response: what an action says to the network and what it hears back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from brainops.core import json_gate
from brainops.core.errors import AppError

Json = Any
Mask = Callable[[Any], Any]


def as_it_is(value: Any) -> Any:
    """The mask where there are no secrets."""
    return value


class _Nothing:
    """The absence of a value, where `None` is itself a value (the JSON body `null`)."""

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING = _Nothing()
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request an action asks for.

    `params` are added to the URL's own query; a list value repeats its key. At most one of `json`, `form` and
    `content` is given. `timeout_seconds` and `max_bytes` (of the decoded body) only narrow the runner's own.
    """

    method: str
    url: str
    params: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Json = NOTHING
    form: Mapping[str, Json] | None = None
    content: bytes | None = None
    timeout_seconds: float | None = None
    max_bytes: int | None = None
    max_redirects: int = 0

    @property
    def is_write(self) -> bool:
        """True when the method may change something at the service (RFC 9110 9.2.1)."""
        return self.method not in _SAFE_METHODS


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer, read to its end.

    Header names are lower case; repeated ones are joined with ", ". `url` has no query: it is shown in messages.
    `mask` takes the secrets that were sent out of a text or JSON value: use it before cutting what is shown.
    """

    status: int
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""
    mask: Mask = field(default=as_it_is, repr=False, compare=False)

    def text(self) -> str:
        """Decode the body by the charset the answer names, UTF-8 otherwise; wrong bytes become U+FFFD."""
        return self.body.decode(self._charset(), errors="replace")

    def json(self) -> Json:
        """Parse the body as JSON that can be stored (`core.json_gate`). Raises ValueError."""
        try:
            return json_gate.read(self.body, _JSON_LIMITS)
        except AppError as error:
            raise ValueError(error.message) from error

    def _charset(self) -> str:
        _, _, parameters = self.headers.get("content-type", "").partition(";")
        for parameter in parameters.split(";"):
            name, _, value = parameter.strip().partition("=")
            if name.lower() == "charset" and value.strip('"').lower() in TEXT_CHARSETS:
                return value.strip('"').lower()
        return "utf-8"


# A closed list: Python's registry also holds codecs that are no charsets (bz2, rot13, unicode_escape).
TEXT_CHARSETS = frozenset(
    {"utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin-1", "windows-1252", "windows-1251", "utf-16"}
    | {"shift_jis", "euc-jp", "iso-2022-jp", "gb2312", "gbk", "gb18030", "big5", "euc-kr", "koi8-r", "iso-8859-2"}
)

# The runner has capped the bytes; depth is what the database and the interpreter can take.
_JSON_LIMITS = json_gate.Limits(body_bytes=1 << 30, depth=64, keys=1_000_000, string_bytes=1 << 30)
