"""Bodies in YAML, where a person writes them: read as plain data, through the same gate as JSON."""

from __future__ import annotations

import io
from typing import Any

import orjson
from rest_framework.parsers import BaseParser

from automation.services.exchange.yaml_reading import Bounds, YamlReader
from brainops.core import json_gate
from brainops.core.api.json import read_body
from brainops.core.errors import MalformedJson


class YamlParser(BaseParser):
    """`application/yaml` (RFC 9512)."""

    media_type = "application/yaml"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The value. Raises MalformedJson, TooLarge."""
        body = read_body(stream if parser_context is None else parser_context["request"]._request)
        limits = json_gate.default_limits()
        reader = YamlReader(io.BytesIO(body), Bounds(limits.depth, limits.keys, limits.body_bytes))
        reader.begin()
        value = reader.value()
        reader.end()
        try:
            return json_gate.read(orjson.dumps(value), limits)
        except TypeError as error:  # integers beyond 64 bits
            raise MalformedJson(f"The body cannot be written as JSON: {error}.") from error
