"""The signature schemes, found in this folder. Adding one is adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from webhooks.signatures.contract import Scheme


class BrokenScheme(Exception):
    """A file of this folder breaks the contract; the message names the file and the rule."""


@cache
def all_schemes() -> Mapping[str, Scheme]:
    """Map keys to schemes, ordered by key. Raises BrokenScheme."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    schemes = [_checked(module.__name__, module.SCHEME) for module in modules if hasattr(module, "SCHEME")]
    return MappingProxyType({scheme.key: scheme for scheme in schemes})


def _checked(module: str, scheme: object) -> Scheme:
    expected = module.rpartition(".")[2]
    if not isinstance(scheme, Scheme) or scheme.key != expected:
        raise BrokenScheme(f"{module} must hold one Scheme with the key {expected!r}, got {scheme!r}.")
    return scheme
