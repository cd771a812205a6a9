"""Step kinds: one file each, found by folder scan, and every action of a connector."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from automation.engine.kinds import Kind


class BrokenKind(Exception):
    """A step file breaks the contract; the message names the file and the rule."""


@cache
def all_kinds() -> Mapping[str, Kind]:
    """Map keys to kinds, ordered by key: `condition`, `http.request`."""
    found = {**{kind.key: kind for kind in _own_kinds()}, **_connector_kinds()}
    return MappingProxyType(dict(sorted(found.items())))


def _own_kinds() -> Iterator[Kind]:
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            yield _kind_in(f"{__name__}.{module.name}")


def _kind_in(name: str) -> Kind:
    kind = getattr(importlib.import_module(name), "KIND", None)
    if not isinstance(kind, Kind):
        raise BrokenKind(f"{name} must hold one Kind named KIND, got {kind!r}.")
    expected = name.rpartition(".")[2]
    if kind.key != expected:
        raise BrokenKind(f"{name}: the key is {kind.key!r}, it must be {expected!r} like its file.")
    return kind


def _connector_kinds() -> dict[str, Kind]:
    # imported late: the connectors need the settings, the kinds of this folder need nothing
    from automation.steps._connectors import connector_kinds  # noqa: PLC0415

    return connector_kinds()
