"""The connectors, actions and polls of this installation, found by folder scan.

`connectors/<key>/connector.py` holds `CONNECTOR`; every other module of the folder holds one `ACTION` or one `POLL`
whose key is the name of the file. Adding a connector edits no shared file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import TypeVar

from integrations import connectors
from integrations.contract import Action, Connector, PollingTrigger

MANIFEST = "connector"
T = TypeVar("T", Connector, Action, PollingTrigger)


class BrokenConnector(Exception):
    """A connector folder breaks the contract; the message names the file and the rule."""


@cache
def all_connectors() -> Mapping[str, Connector]:
    """Map connector keys to their manifests, ordered by key."""
    return MappingProxyType({key: _manifest(package) for key, package in _packages()})


@cache
def all_actions() -> Mapping[str, Action]:
    """Map `<connector>.<action>` to actions, ordered by that name."""
    found = {f"{key}.{action.key}": action for key, package in _packages() for action in _actions(package)}
    return MappingProxyType(dict(sorted(found.items())))


@cache
def all_polls() -> Mapping[str, PollingTrigger]:
    """Map `<connector>.<poll>` to polls, ordered by that name."""
    found = {f"{key}.{poll.key}": poll for key, package in _packages() for poll in _polls(package)}
    return MappingProxyType(dict(sorted(found.items())))


def connector_of(name: str) -> Connector:
    """Return the connector an action's full name belongs to. Raises KeyError when there is none."""
    return all_connectors()[name.partition(".")[0]]


def _packages() -> Iterator[tuple[str, ModuleType]]:
    for found in sorted(pkgutil.iter_modules(connectors.__path__), key=lambda module: module.name):
        if not found.ispkg:
            raise BrokenConnector(f"connectors/{found.name}.py is a file; a connector is a folder.")
        yield found.name, importlib.import_module(f"{connectors.__name__}.{found.name}")


def _manifest(package: ModuleType) -> Connector:
    module = importlib.import_module(f"{package.__name__}.{MANIFEST}")
    manifest = getattr(module, "CONNECTOR", None)
    return _checked(manifest, Connector, module)


def _actions(package: ModuleType) -> Iterator[Action]:
    for module in _modules(package):
        if hasattr(module, "ACTION"):
            yield _checked(module.ACTION, Action, module)


def _polls(package: ModuleType) -> Iterator[PollingTrigger]:
    for module in _modules(package):
        if hasattr(module, "POLL"):
            yield _checked(module.POLL, PollingTrigger, module)


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    """All of a folder but its manifest; one that declares nothing holds what the others share."""
    for found in pkgutil.iter_modules(package.__path__):
        if found.name != MANIFEST and not found.ispkg:
            yield importlib.import_module(f"{package.__name__}.{found.name}")


def _checked(value: object, kind: type[T], module: ModuleType) -> T:
    """Refuse a declaration of the wrong type or with a key that is not its own file's or folder's name."""
    if not isinstance(value, kind):
        raise BrokenConnector(f"{module.__name__} must hold one {kind.__name__}, got {value!r}.")
    parts = module.__name__.split(".")
    expected = parts[-2] if kind is Connector else parts[-1]
    if value.key != expected:
        raise BrokenConnector(f"{module.__name__}: the key is {value.key!r}, it must be {expected!r} like its name.")
    return value
