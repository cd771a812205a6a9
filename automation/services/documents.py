"""Workflow documents as services see them: checked with this installation's kinds and limits, compared, summed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from django.conf import settings

from automation.engine.document import Limits, check_document
from automation.engine.document.parse import parse_document
from automation.steps import all_kinds, code
from brainops.core.errors import Problem

NOT_VERSIONED = frozenset({"ui"})  # canvas positions: saved, but no part of a version's difference


def refusals(definition: Any, *, base: str = "/definition") -> Iterator[Problem]:
    """Everything wrong with a document, with pointers that start at `base`."""
    limits = Limits(steps=settings.BRAINOPS_LIMITS["steps"])
    for problem in check_document(definition, all_kinds(), limits=limits):
        yield Problem(problem.code, problem.message, base + problem.pointer)
    if not settings.BRAINOPS_CODE_STEPS:
        yield from _code_steps(definition, base)


def _code_steps(definition: Any, base: str) -> Iterator[Problem]:
    """Every step that holds Python. The engine knows no switches, so this is told here."""
    for step in parse_document(definition).steps():
        if step.uses == code.KIND.key:
            yield Problem("code_steps_off", f"{step.label}: {code.OFF}", base + step.at("uses"))


def canonical(value: Any) -> bytes:
    """Canonical JSON: equal for equal values whatever the order of keys. Python's own == takes 1 for True."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def meaning(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a document that versions are about."""
    return {key: value for key, value in definition.items() if key not in NOT_VERSIONED}


def checksum(definition: Mapping[str, Any]) -> str:
    """SHA-256 of the meaning's canonical JSON: the same for documents that differ in layout only."""
    return hashlib.sha256(canonical(meaning(definition))).hexdigest()
