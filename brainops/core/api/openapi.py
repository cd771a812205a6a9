"""GET /schema: the OpenAPI document, for callers; the page that shows it is in the admin (`brainops/urls.py`)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from brainops.core.api.parameters import KnownParameters
from brainops.core.api.public import ANY_CALLER


class SchemaView(KnownParameters):
    """The description of this API."""

    permissions = {"get": ANY_CALLER}

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """The OpenAPI 3.1 document."""
        return schema_json(request)


def schema_json(request: Request | HttpRequest) -> HttpResponse:
    """The document as an answer; the same for everybody."""
    return HttpResponse(_document(), content_type="application/vnd.oai.openapi+json")


@lru_cache(maxsize=1)
def _document() -> bytes:
    # made once a process: it follows from the code alone
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]  # spectacular has no types
    return orjson.dumps(generator.get_schema(request=None, public=True), option=orjson.OPT_NON_STR_KEYS)
