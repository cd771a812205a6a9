"""Every route of the API with its methods, and an address of each that leads to something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from brainops.accounts.tests.test_routes import address, api_routes, methods_of
from brainops.core.api.declared import Declared, declared_of

PREFIX = "api/v1/automation/"

# Doors that must take whatever stands behind the `?`: what they do with it.
OPEN_QUERIES = {
    "webhooks/<uuid:webhook_id>/receive": "the sender's own, kept with the event",
    "webhooks/<uuid:webhook_id>/receive/<path:path>": "the sender's own, kept with the event",
    "webhooks/test/<uuid:test_id>": "the sender's own, kept with the sample",
    "webhooks/test/<uuid:test_id>/<path:path>": "the sender's own, kept with the sample",
    "webhooks/status/<str:token>": "whoever was sent the address may add marks to it; nothing is read from them",
    "callbacks/<str:token>": "whoever was sent the address may add marks to it; nothing is read from them",
    "notices/mute/<str:token>": "mail programs add marks to links; nothing is read from them",
}


class Verb(NamedTuple):
    """One method of one route."""

    route: str  # without the prefix
    method: str
    view: Any

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.route}"


def verbs() -> Iterator[Verb]:
    """Every method that some view of the API answers to."""
    for route, view in api_routes():
        if route.startswith(PREFIX):
            name = route.removeprefix(PREFIX)
            yield from (Verb(name, method, view) for method in methods_of(view))


def lists() -> list[Verb]:
    """Those that answer with a page of rows."""
    return [verb for verb in verbs() if verb.method == "get" and (known := said_by(verb)) and "limit" in known.names]


def said_by(verb: Verb) -> Declared | None:
    """What the view declares about this verb; None where something else answers."""
    if not hasattr(verb.view, "initkwargs") or verb.route in OPEN_QUERIES:
        return None
    view = verb.view.cls(**verb.view.initkwargs)
    view.action_map = getattr(verb.view, "actions", {})
    view.action = view.action_map.get(verb.method)
    view.request, view.args, view.kwargs, view.format_kwarg = None, (), {}, None
    return declared_of(view, verb.method.upper())


def path_of(verb: Verb, parents: Mapping[str, str]) -> str:
    """The address below the prefix; `parents` are ids by the first word of the route."""
    first, *rest = verb.route.split("/")
    own = [index for index, part in enumerate(rest) if part.startswith("<uuid:")][:1]
    known = [parents.get(first, part) if index in own else part for index, part in enumerate(rest)]
    return address("/".join([first, *known]))
