"""How views are described in the OpenAPI document."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema


class Schema(AutoSchema):
    """Spectacular's own, with our problem answers."""
