"""People who call operations by their names, and what is noted of it."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any
from urllib.parse import urlencode

import orjson
from django.test import Client

from tests.api.story.stable import Stable

PARAMETER = re.compile(r"\{(\w+)\}")
JSON = "application/json"


class Book:
    """What was said: `told[operation]` is `{"request": {type: body}, "answers": {status: {type: body}}}`."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.told: dict[str, dict[str, Any]] = defaultdict(lambda: {"answers": {}})
        self.stable = Stable()
        self._places = {
            operation["operationId"]: (method, path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    def place(self, name: str) -> tuple[str, str, dict[str, Any]]:
        """Method, path and description of an operation."""
        return self._places[name]

    def note(self, name: str, kind: str, body: Any, answer: Any) -> None:
        """Keep the first request of each type that went well and the first answer of each kind."""
        told = self.told[name]
        if body is not None:
            told.setdefault("request", {}).setdefault(kind.partition(";")[0], self.stable.shown(body))
        said = told["answers"].setdefault(str(answer.status_code), {})
        type_, _, _ = answer.headers.get("Content-Type", "").partition(";")
        if answer.status_code != 204 and (content := content_of(answer, type_)) is not None:
            said.setdefault(type_, self.stable.shown(content))


def content_of(answer: Any, type_: str) -> Any:
    """The body of an answer as it stands in a document: JSON as a value, text as text, other bytes not at all."""
    raw = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if type_.endswith("json") and type_ != "application/x-ndjson":
        return orjson.loads(raw)
    return raw.decode() if type_ not in ("", "application/zip") else None


class Voice:
    """Somebody who calls, with a token or without."""

    def __init__(self, book: Book, token: str | None = None, **headers: str) -> None:
        proof = {"Authorization": f"Bearer {token}"} if token else {}
        self.book = book
        self._client = Client(raise_request_exception=False, headers={**proof, **headers})

    def ask(self, name: str, body: Any = None, /, *, kind: str = JSON, query: Any = None, **options: Any) -> Any:
        """Call an operation, which goes well, and note it; returns the JSON. `options`: names in the path, `headers`."""
        answer = self.try_(name, body, kind=kind, query=query, **options)
        assert 200 <= answer.status_code < 300, (name, answer.status_code, answer.content)
        _, _, described = self.book.place(name)
        assert str(answer.status_code) in described["responses"], (name, answer.status_code)
        self.book.note(name, kind, body, answer)
        is_json = not answer.streaming and answer.headers.get("Content-Type", "").startswith(JSON)
        return orjson.loads(answer.content) if is_json else None

    def try_(
        self, name: str, body: Any = None, /, *, kind: str = JSON, query: Any = None, headers: Any = None, **names: Any
    ) -> Any:
        """Call an operation, whatever comes, and note nothing."""
        method, path, _ = self.book.place(name)
        path = PARAMETER.sub(lambda found: str(names[found[1]]), path)
        raw = b"" if body is None else body.encode() if isinstance(body, str) else orjson.dumps(body)
        address = f"{path}?{urlencode(query)}" if query else path
        return self._client.generic(method.upper(), address, raw, kind, headers=headers or {})
