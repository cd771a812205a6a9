"""Request bodies: a JSON Schema that checks and that the OpenAPI document shows."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from automation.engine.checker import Checker
from automation.services.field_checks import check


class Body:
    """The JSON object a request may send; unknown members are refused."""

    def __init__(self, properties: dict[str, Any], *, required: tuple[str, ...] = ()) -> None:
        self.schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
        if required:
            self.schema["required"] = list(required)
        self._checker = Checker(self.schema)

    @property
    def media(self) -> dict[str, Any]:
        """What `extend_schema(request=…)` takes."""
        return {"application/json": self.schema}

    def read(self, request: Request) -> dict[str, Any]:
        """The checked body; an empty one is an empty object. Raises InvalidInput with everything wrong."""
        return self.checked(request.data)

    def checked(self, value: Any) -> dict[str, Any]:
        """The body itself, if it fits. Raises InvalidInput with everything wrong."""
        check(self._checker, value)
        return dict(value)


NOTHING = Body({})  # for requests that say it all in their address: what is sent besides is refused, not dropped
