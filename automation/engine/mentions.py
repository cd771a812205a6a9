"""mentions: which variables, secrets, connections and workflows a document names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from automation.engine.document.parse import Document, parse_document
from automation.engine.document.templates import OPENING, places, references
from automation.engine.kinds import Kinds

Json = Any
VARS, SECRETS = "vars", "secrets"  # roots of expressions


@dataclass(frozen=True, slots=True)
class Mention:
    """One name, and where it stands first: a JSON pointer into the document."""

    name: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Mentions:
    """What a document names outside of itself, each name once, in the document's order.

    `reads_all_vars`: it takes `vars` as a whole or by a computed key, so any variable may be meant. `calls` are
    workflows that are written out, by id or name; a computed one is known only in a run.
    """

    vars: tuple[Mention, ...] = ()
    secrets: tuple[Mention, ...] = ()
    connections: tuple[Mention, ...] = ()
    calls: tuple[Mention, ...] = ()
    reads_all_vars: bool = False

    def names(self, sort: str) -> tuple[str, ...]:
        """The bare names of one sort: "vars", "secrets", "connections" or "calls"."""
        found: tuple[Mention, ...] = getattr(self, sort)
        return tuple(one.name for one in found)


@dataclass(slots=True)
class _Found:
    """Names by sort, the first place of each."""

    by_sort: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, sort: str, name: str, pointer: str) -> None:
        self.by_sort.setdefault(sort, {}).setdefault(name, pointer)

    def of(self, sort: str) -> tuple[Mention, ...]:
        return tuple(Mention(name, pointer) for name, pointer in self.by_sort.get(sort, {}).items())


def mentions(definition: Mapping[str, Json], kinds: Kinds) -> Mentions:
    """Everything a document names, checked or not. Never raises; what cannot be read names nothing."""
    document, found, reads_all = parse_document(definition), _Found(), False
    for place in places(document, kinds):
        for pointer, path in references(place):
            if path[0] not in (VARS, SECRETS):
                continue
            if len(path) > 1 and isinstance(path[1], str):
                found.add(str(path[0]), path[1], pointer)
            else:
                reads_all = reads_all or path[0] == VARS
    for sort, name, pointer in _written_out(document):
        found.add(sort, name, pointer)
    return Mentions(found.of(VARS), found.of(SECRETS), found.of("connections"), found.of("calls"), reads_all)


def _written_out(document: Document) -> Iterator[tuple[str, str, str]]:
    for step in document.steps():
        yield from _name("connections", step.fields.get("connection"), step.at("connection"))
        yield from _name("calls", step.part("call").get("workflow"), step.at("call", "workflow"))
    yield from _name("calls", document.settings.get("on_failure"), "/settings/on_failure")


def _name(sort: str, value: Json, pointer: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, str) and value and OPENING not in value:
        yield sort, value, pointer
