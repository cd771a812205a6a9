"""The body of a request, parsed once and only when somebody asks."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from brainops.core.errors import AppError
from webhooks.services import bodies
from webhooks.services.bodies import Body
from webhooks.services.encodings import decoded
from webhooks.services.outcomes import Incoming
from webhooks.signatures.contract import Scheme


class Reading:
    """Parses the body as its type says, or as JSON when the scheme's senders name another type.

    `most` bounds a compressed body once it is decompressed; left out, the installation's limit of a body does.
    """

    __slots__ = ("_body", "_incoming", "_most", "_scheme")

    def __init__(self, incoming: Incoming, scheme: Scheme, *, most: int | None = None) -> None:
        self._incoming = incoming
        self._scheme = scheme
        self._most: int = most or settings.BRAINOPS_LIMITS["body_bytes"]
        self._body: Body | None = None

    def body(self) -> Any:
        """The data of the body. Raises MalformedJson, TooLarge, InvalidInput or UnsupportedMediaType."""
        return self._read().data

    def text(self) -> str | None:
        """The text of an XML body, None for all others. Raises as `body` does."""
        return self._read().text

    def quietly(self) -> Any:
        """The data of the body, None when it cannot be read: for whoever has not proven anything yet."""
        try:
            return self.body()
        except AppError:
            return None

    def _read(self) -> Body:
        if self._body is None:
            self._body = self._parse()
        return self._body

    def _parse(self) -> Body:
        headers, raw = self._incoming.headers, self._incoming.body
        if encoding := headers.get("content-encoding"):
            raw = decoded(raw, encoding, most=self._most)
        if self._scheme.is_json:
            return Body(bodies.read_json(raw) if raw else None)
        return bodies.parse(headers.get("content-type", ""), raw, json_field=self._scheme.form_field)
