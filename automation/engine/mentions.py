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
    """One name, and where it stands first: a JSON pointer into the document.

    `is_required`: at least one place has nothing else to take when it is missing (`default`, `is defined`).
    """

    name: str
    pointer: str
    is_required: bool = True


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

    by_sort: dict[str, dict[str, Mention]] = field(default_factory=dict)

    def add(self, sort: str, mention: Mention) -> None:
        known = self.by_sort.setdefault(sort, {})
        before = known.setdefault(mention.name, mention)
        if mention.is_required and not before.is_required:
            known[mention.name] = mention  # the place that will fail is worth more than the first one

    def of(self, sort: str) -> tuple[Mention, ...]:
        return tuple(self.by_sort.get(sort, {}).values())


def mentions(definition: Mapping[str, Json], kinds: Kinds) -> Mentions:
    """Everything a document names, checked or not. Never raises; what cannot be read names nothing."""
    document, found, reads_all = parse_document(definition), _Found(), False
    for place in places(document, kinds):
        for read in references(place):
            if read.path[0] not in (VARS, SECRETS):
                continue
            if len(read.path) > 1 and isinstance(read.path[1], str):
                found.add(str(read.path[0]), Mention(read.path[1], read.pointer, read.is_required))
            else:
                reads_all = reads_all or read.path[0] == VARS
    for sort, name, pointer in _written_out(document):
        found.add(sort, Mention(name, pointer))
    return Mentions(found.of(VARS), found.of(SECRETS), found.of("connections"), found.of("calls"), reads_all)


def _written_out(document: Document) -> Iterator[tuple[str, str, str]]:
    for step in document.steps():
        yield from _name("connections", step.fields.get("connection"), step.at("connection"))
        yield from _name("calls", step.part("call").get("workflow"), step.at("call", "workflow"))
    yield from _name("calls", document.settings.get("on_failure"), "/settings/on_failure")


def _name(sort: str, value: Json, pointer: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, str) and value and OPENING not in value:
        yield sort, value, pointer
