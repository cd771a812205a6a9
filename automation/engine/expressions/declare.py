"""What a filter or a test declares. Documentation, argument checks and examples all come from here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from automation.engine.expressions.values import MISSING, Json

Function = Callable[..., Json]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: `default` is MISSING when it must be given; `is_many` takes all that are left."""

    name: str
    default: Json = MISSING
    is_many: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """An expression and its value; tests execute it."""

    source: str
    result: Json
    scope: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """A filter or a test: `function(value, budget, *arguments)`.

    `keeps_parts`: each part of the input is at most once in the output, so a filter of this kind cannot
    multiply a large value. `takes_missing`: called also for what is not there.
    """

    name: str
    group: str
    doc: str
    function: Function
    parameters: tuple[Parameter, ...]
    examples: tuple[Example, ...]
    aliases: tuple[str, ...] = ()
    keeps_parts: bool = False
    takes_missing: bool = False
    usage: str = ""

    @property
    def signature(self) -> str:
        """`round(precision=0)` as it is written after the bar; `usage` when the arguments say less."""
        if self.usage:
            return self.usage
        written = ", ".join(map(_written, self.parameters))
        return f"{self.name}({written})" if written else self.name


FILTERS: dict[str, Declared] = {}
TESTS: dict[str, Declared] = {}


def declare(
    table: dict[str, Declared],
    name: str,
    *,
    group: str,
    doc: str,
    examples: Sequence[Example],
    aliases: tuple[str, ...] = (),
    keeps_parts: bool = False,
    takes_missing: bool = False,
    usage: str = "",
) -> Callable[[Function], Function]:
    """Put the decorated function into `table` under its name and aliases. Runs at import only."""

    def register(function: Function) -> Function:
        parameters = tuple(map(_parameter, list(inspect.signature(function).parameters.values())[2:]))
        declared = Declared(
            name, group, doc, function, parameters, tuple(examples), aliases, keeps_parts, takes_missing, usage
        )
        for key in (name, *aliases):
            if key in table:
                raise ValueError(f"Expression filter or test {key!r} is declared twice.")
            table[key] = declared
        return function

    return register


def _parameter(parameter: inspect.Parameter) -> Parameter:
    has_default = parameter.default is not inspect.Parameter.empty
    return Parameter(
        parameter.name.rstrip("_"),
        parameter.default if has_default else MISSING,
        parameter.kind is inspect.Parameter.VAR_POSITIONAL,
    )


_WORDS = {None: "null", True: "true", False: "false"}


def _written(parameter: Parameter) -> str:
    if parameter.is_many:
        return f"{parameter.name}…"
    if parameter.default is MISSING:
        return parameter.name
    default = parameter.default
    if default is None or isinstance(default, bool):
        return f"{parameter.name}={_WORDS[default]}"
    return f'{parameter.name}="{default}"' if isinstance(default, str) else f"{parameter.name}={default}"
