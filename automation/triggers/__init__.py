"""The trigger kinds of this installation, found in the `triggers/` folder of every installed app.

A module of such a folder that holds `KIND` is a kind; one without is code that kinds share. Adding a kind edits
no shared file.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType

from django.apps import apps

from automation.triggers.contract import TriggerKind


class BrokenTriggerKind(Exception):
    """A file in a triggers folder breaks the contract; the message names the file and the rule."""


@cache
def all_trigger_kinds() -> Mapping[str, TriggerKind]:
    """Map keys to kinds, ordered by key. Needs the app registry. Raises BrokenTriggerKind."""
    found: dict[str, TriggerKind] = {}
    for module in _modules():
        kind = _checked(module)
        if kind.key in found:
            raise BrokenTriggerKind(f"{module.__name__}: another app has a trigger kind {kind.key!r} already.")
        found[kind.key] = kind
    return MappingProxyType(dict(sorted(found.items())))


def _modules() -> Iterator[ModuleType]:
    for app in apps.get_app_configs():
        folder = f"{app.name}.triggers"
        if importlib.util.find_spec(folder) is None:
            continue
        package = importlib.import_module(folder)
        for found in pkgutil.iter_modules(getattr(package, "__path__", ())):
            module = importlib.import_module(f"{folder}.{found.name}")
            if hasattr(module, "KIND"):
                yield module


def _checked(module: ModuleType) -> TriggerKind:
    """Refuse a declaration of the wrong type or with a key that is not its file's name."""
    kind, expected = module.KIND, module.__name__.rpartition(".")[2]
    if not isinstance(kind, TriggerKind):
        raise BrokenTriggerKind(f"{module.__name__} must hold one TriggerKind, got {kind!r}.")
    if kind.key != expected:
        raise BrokenTriggerKind(f"{module.__name__}: the key is {kind.key!r}, it must be {expected!r} like its file.")
    return kind
