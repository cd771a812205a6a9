"""The body of a request, parsed once and only when somebody asks."""

from __future__ import annotations

from typing import Any

from brainops.core import errors, json_gate
from brainops.core.errors import AppError
from webhooks.services import bodies
from webhooks.services.outcomes import Incoming
from webhooks.signatures.contract import Scheme

_UNREAD = object()


class Reading:
    """Parses the body as its type says, or as JSON when the scheme's senders name another type."""

    __slots__ = ("_body", "_incoming", "_scheme")

    def __init__(self, incoming: Incoming, scheme: Scheme) -> None:
        self._incoming = incoming
        self._scheme = scheme
        self._body: Any = _UNREAD

    def body(self) -> Any:
        """The data of the body. Raises MalformedJson, InvalidInput or UnsupportedMediaType."""
        if self._body is _UNREAD:
            self._body = self._parse()
        return self._body

    def quietly(self) -> Any:
        """The data of the body, None when it cannot be read: for whoever has not proven anything yet."""
        try:
            return self.body()
        except AppError:
            return None

    def _parse(self) -> Any:
        headers, raw = self._incoming.headers, self._incoming.body
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise errors.UnsupportedMediaType("Compressed bodies are not read. Send the body without Content-Encoding.")
        if self._scheme.is_json:
            return json_gate.read(raw) if raw else None
        return bodies.parse(headers.get("content-type", ""), raw, json_field=self._scheme.form_field)
