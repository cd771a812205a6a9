"""check_document: everything that is wrong with a document, at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from automation.engine.document.closure import Closure
from automation.engine.document.configs import broken_configs, check_configs
from automation.engine.document.containers import check_containers
from automation.engine.document.flat import flatten
from automation.engine.document.graph import check_circles, check_joins, check_needs
from automation.engine.document.identity import check_ids
from automation.engine.document.inputs import check_inputs_schema
from automation.engine.document.limits import DEFAULT_LIMITS, Limits
from automation.engine.document.parse import Document, parse_document
from automation.engine.document.ports import Ports
from automation.engine.document.references import References
from automation.engine.document.settings import check_settings
from automation.engine.document.shape import check_shape, check_size
from automation.engine.document.templates import check_conditions, check_expressions, check_items, places
from automation.engine.document.times import check_times
from automation.engine.document.unavailable import check_available
from automation.engine.kinds import Kinds
from automation.engine.pointers import document_order
from automation.engine.problem import Problem
from automation.engine.wording import shown

MAX_NESTING = 100  # JSON levels; the door refuses far fewer


def check_document(value: Any, kinds: Kinds, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Problem, ...]:
    """All refusals of a document in the order of its places; empty when it can be saved and run."""
    refusal = _unreadable(value)
    if refusal is not None:
        return (refusal,)
    document = parse_document(value)
    # Stop when there are enough: each suggestion takes time, and a document can be wrong in very many places.
    found = list(islice(_distinct(_check(document, kinds, limits)), limits.problems + 1))
    told = sorted(found[: limits.problems], key=lambda problem: document_order(problem.pointer))
    if len(found) > limits.problems:
        told.append(Problem("more_problems", "There are more. Repair these and check again."))
    return tuple(told)


def _distinct(problems: Iterator[Problem]) -> Iterator[Problem]:
    seen: set[Problem] = set()
    for problem in problems:
        if problem not in seen:
            seen.add(problem)
            yield problem


def _unreadable(value: Any) -> Problem | None:
    if not isinstance(value, dict):
        return Problem("wrong_type", f'A workflow document is an object with "schema" and "steps", got {shown(value)}.')
    if _nesting(value) > MAX_NESTING:
        return Problem("too_deep", f"The document is nested deeper than {MAX_NESTING} levels. Flatten it.")
    return None


def _check(document: Document, kinds: Kinds, limits: Limits) -> Iterator[Problem]:
    yield from check_shape(document)
    sizes = list(check_size(document, limits))
    yield from sizes
    yield from check_inputs_schema(document, limits)
    yield from check_times(document, limits)
    if not sizes:  # the checks below take more than linear time
        yield from _check_meaning(document, kinds)


def _check_meaning(document: Document, kinds: Kinds) -> Iterator[Problem]:
    yield from check_available(document)
    yield from check_ids(document)
    yield from check_configs(document, kinds)
    flat = flatten(document)
    closure = Closure(flat.graph())
    yield from check_needs(flat, Ports(kinds, broken_configs(document, kinds)))
    yield from check_circles(flat, closure)
    yield from check_joins(flat)
    yield from check_conditions(document)
    yield from check_items(document)
    yield from check_containers(document)
    yield from check_settings(document)
    references = References(document, flat, closure, kinds)
    for place in places(document, kinds):
        yield from check_expressions(place)
        yield from references.check(place)


def _nesting(value: Any) -> int:
    """How deep lists and objects stand in each other, counted without recursion and not beyond the ceiling."""
    level, depth = [value], 0
    while level and depth <= MAX_NESTING:
        depth += 1
        level = [inner for outer in level for inner in _children(outer)]
    return depth


def _children(value: Any) -> Iterator[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (child for child in children if isinstance(child, dict | list))
