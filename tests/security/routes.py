"""Every verb of every route of the API, as the resolver knows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from brainops.accounts.api.permissions import permission_for
from brainops.accounts.models import Role
from brainops.accounts.policy import Permission, role_allows
from brainops.core.api.public import ANY_CALLER, PUBLIC_ROUTES

PREFIX = "api/v1/automation/"
METHODS = ("get", "post", "put", "patch", "delete")
PARAMETER = re.compile(r"<\w+:\w+>")
_PUBLIC = {public.route for public in PUBLIC_ROUTES}


@dataclass(frozen=True)
class Verb:
    """One method of one route. `route` is without the prefix: `workflows/<uuid:id>/execute`."""

    method: str
    route: str
    permission: str | None

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.route}"

    @property
    def is_for_staff(self) -> bool:
        """True for what reaches over workspaces."""
        return self.route.startswith("admin/")

    @property
    def is_for_viewers(self) -> bool:
        """True when the lowest role, or anybody who is known, may do it."""
        if self.is_for_staff:
            return False
        if self.permission == ANY_CALLER:
            return True
        return self.permission in set(Permission) and role_allows(Role.VIEWER, Permission(self.permission))

    @property
    def names_things(self) -> bool:
        """True when an id or a name stands in the address."""
        return PARAMETER.search(self.route) is not None

    def places(self) -> list[str]:
        """The route up to each parameter: what a thing's maker is found by."""
        return [self.route[: found.end()] for found in PARAMETER.finditer(self.route)]


def verbs() -> list[Verb]:
    """All that ask who is calling."""
    found = [
        Verb(method, route.removeprefix(PREFIX), _permission(view, method))
        for route, view in _routes()
        if route.startswith(PREFIX) and route not in _PUBLIC
        for method in _methods(view)
    ]
    return sorted(found, key=str)


def _routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback


def _methods(view: Any) -> list[str]:
    actions = getattr(view, "actions", None)
    return [method for method in METHODS if (method in actions if actions else hasattr(view.cls, method))]


def _permission(view: Any, method: str) -> str | None:
    instance = view.cls(**view.initkwargs)
    instance.action = (getattr(view, "actions", None) or {}).get(method)
    return permission_for(instance, method)
