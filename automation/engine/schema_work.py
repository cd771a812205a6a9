"""How much work a schema makes of a value, before the validator begins.

The validator cannot be interrupted and holds Python's one lock: a schema of thirty lines that names itself twice at
each step would stop a whole process for days. So schemas that people write are weighed first. The count is an upper
bound of what the validator evaluates; counting takes time in proportion to schema and value, for each pair of both is
looked at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

Json = Any

MOST_WORK = 1_000_000  # evaluations of one value: some 50 ms
LIGHT_RULES = 50  # objects in a schema without references; whatever the value is, that is quick
VALUES_A_UNIT = 16  # values of a container that are copied, or 16 characters searched, in the time of one evaluation
_BASE = "https://schema.invalid/"  # urljoin knows how to join to https only

_SAME_LISTS = ("allOf", "anyOf", "oneOf")
_SAME = ("not", "if", "then", "else")
_REFERENCES = ("$ref", "$dynamicRef")
_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")  # make the validator look at everything beside them again


class TooMuchWork(Exception):
    """Checking would take more evaluations than are granted."""


class Weigher:
    """One schema, ready to be weighed against values. Immutable; free to share between threads."""

    __slots__ = ("_anchors", "_bases", "_resources", "_schema", "is_light")

    def __init__(self, schema: Mapping[str, Json]) -> None:
        self._schema = schema
        self._resources: dict[str, Json] = {_BASE: schema}
        self._anchors: dict[str, list[Json]] = {}
        self._bases: dict[int, str] = {}  # of each object of the schema: what its references start from
        rules, is_plain = self._index()
        self.is_light = is_plain and rules <= LIGHT_RULES

    def is_too_much(self, value: Json, *, most: int = MOST_WORK) -> bool:
        """True when checking this value may take more than `most` evaluations."""
        try:
            _Walk(self, most).work(self._schema, value)
        except (TooMuchWork, RecursionError):
            return True
        return False

    def targets(self, rule: Mapping[str, Json]) -> Iterator[Json]:
        """What the references of a rule may lead to."""
        for keyword in _REFERENCES:
            reference = rule.get(keyword)
            if isinstance(reference, str):
                address, fragment = urldefrag(urljoin(self._bases[id(rule)], reference))
                if fragment and not fragment.startswith("/"):
                    yield from self._anchors.get(fragment, ())
                else:
                    yield _follow(self._resources.get(address, True), fragment)

    def _index(self) -> tuple[int, bool]:
        """Note every resource and anchor; return how many objects there are, and whether none of them refers."""
        rules, is_plain = 0, True
        rest: list[tuple[Json, str]] = [(self._schema, _BASE)]
        while rest:
            node, base = rest.pop()
            if isinstance(node, Mapping):
                rules += 1
                is_plain = is_plain and node.keys().isdisjoint((*_REFERENCES, *_UNEVALUATED))
                base = self._note(node, base)
                rest += ((child, base) for child in node.values())
            elif isinstance(node, list):
                rest += ((child, base) for child in node)
        return rules, is_plain

    def _note(self, node: Mapping[str, Json], base: str) -> str:
        """Note one object; return the base of what lies in it."""
        if isinstance(node.get("$id"), str):
            base = urldefrag(urljoin(base, node["$id"]))[0]
            self._resources.setdefault(base, node)
        self._bases[id(node)] = base
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(node.get(keyword), str):
                self._anchors.setdefault(node[keyword], []).append(node)
        return base


class _Walk:
    """One weighing: what each pair of rule and value takes, each looked at once."""

    def __init__(self, weigher: Weigher, most: int) -> None:
        self._weigher, self._most = weigher, most
        self._known: dict[tuple[int, int], int | None] = {}
        self._sizes: dict[int, int] = {}

    def work(self, rule: Json, value: Json) -> int:
        """How many evaluations this rule takes for this value. Raises TooMuchWork."""
        if not isinstance(rule, Mapping):
            return 1
        pair = (id(rule), id(value))
        if pair in self._known:
            known = self._known[pair]
            if known is None:  # a rule that leads to itself for the same value never comes to an end
                raise TooMuchWork
            return known
        if len(self._known) > self._most:
            raise TooMuchWork
        self._known[pair] = None
        again = 1 + 2 * sum(keyword in rule for keyword in _UNEVALUATED)
        total = 1 + self._size(value) // VALUES_A_UNIT
        for inner in self._of_same(rule):
            total = self._checked(total + again * self.work(inner, value))
        for inner, child in _of_children(rule, value):
            total = self._checked(total + self.work(inner, child))
        self._known[pair] = total
        return total

    def _checked(self, total: int) -> int:
        if total > self._most:
            raise TooMuchWork
        return total

    def _of_same(self, rule: Mapping[str, Json]) -> Iterator[Json]:
        """The rules inside that look at the same value."""
        for keyword in _SAME_LISTS:
            yield from _listed(rule.get(keyword))
        yield from (rule[keyword] for keyword in _SAME if keyword in rule)
        yield from _named(rule.get("dependentSchemas")).values()
        yield from self._weigher.targets(rule)

    def _size(self, value: Json) -> int:
        """The values in a container, nested ones included; the characters of a text."""
        if isinstance(value, str):
            return len(value)
        if not isinstance(value, (dict, list)):
            return 0
        if id(value) not in self._sizes:
            children = value.values() if isinstance(value, dict) else value
            self._sizes[id(value)] = len(value) + sum(map(self._size, children))
        return self._sizes[id(value)]


def size_of(value: Json, *, most: int) -> int:
    """How many values a value holds, nested ones included; stops counting behind `most`."""
    count, rest = 0, [value]
    while rest and count <= most:
        node = rest.pop()
        count += 1
        if isinstance(node, (dict, list)):
            count += len(node)
            rest += (child for child in _inside(node) if isinstance(child, (dict, list)))
    return count


def _inside(node: dict[str, Json] | list[Json]) -> Iterator[Json]:
    return iter(node.values() if isinstance(node, dict) else node)


def _of_children(rule: Mapping[str, Json], value: Json) -> Iterator[tuple[Json, Json]]:
    """Each rule inside with each part of the value that it looks at."""
    if isinstance(value, dict):
        named = _named(rule.get("properties"))
        everywhere = [*_named(rule.get("patternProperties")).values()]
        everywhere += [rule[one] for one in ("additionalProperties", "unevaluatedProperties") if one in rule]
        for name, child in value.items():
            if name in named:
                yield named[name], child
            yield from ((inner, child) for inner in everywhere)
            if "propertyNames" in rule:
                yield rule["propertyNames"], name
    elif isinstance(value, list):
        yield from zip(_listed(rule.get("prefixItems")), value, strict=False)
        everywhere = [rule[one] for one in ("items", "contains", "unevaluatedItems") if one in rule]
        yield from ((inner, child) for inner in everywhere for child in value)


def _listed(rules: Json) -> list[Json]:
    return rules if isinstance(rules, list) else []


def _named(rules: Json) -> Mapping[str, Json]:
    return rules if isinstance(rules, Mapping) else {}


def _follow(node: Json, fragment: str) -> Json:
    """What a JSON pointer leads to; True, which allows everything, where it leads nowhere."""
    for part in unquote(fragment).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping):
            node = node.get(key, True)
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            return True
    return node
