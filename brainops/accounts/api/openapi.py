"""How the OpenAPI document describes authentication. Imported by the app, so that spectacular finds it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from brainops.accounts.api.authentication import BearerAuthentication


class BearerScheme(OpenApiAuthenticationExtension):
    """API keys and access tokens."""

    target_class = BearerAuthentication
    name = ["bearer", "apiKey"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        """The two headers a credential may come in."""
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key (`bo_…`) or the access token of a login.",
            },
            {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "An API key (`bo_…`)."},
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        """Either of the two, not both."""
        return [{name: []} for name in self.name]
