"""Which workflows mention a variable or a secret, and which mentions of a document lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import TextField
from django.db.models.functions import Cast

from automation.engine.mentions import Mention, mentions
from automation.engine.wording import did_you_mean
from automation.models import Secret, Variable, Workflow
from automation.steps import all_kinds
from brainops.core.errors import InvalidInput, Problem

VARS, SECRETS = "vars", "secrets"
MODELS: Mapping[str, type[Variable] | type[Secret]] = {VARS: Variable, SECRETS: Secret}
NOUNS = {VARS: "variable", SECRETS: "secret"}
MOST_USERS = 100  # named in an answer

Json = Any


@dataclass(frozen=True, slots=True)
class User:
    """A workflow whose newest version mentions the name."""

    id: UUID
    name: str


def used_by(workspace_id: UUID, sort: str, name: str) -> tuple[User, ...]:
    """The workflows of a workspace that mention `vars.<name>` or `secrets.<name>`, by name; at most MOST_USERS."""
    rows = Workflow.objects.filter(workspace_id=workspace_id).annotate(text=Cast("definition", TextField()))
    likely = rows.filter(text__contains=sort).filter(text__contains=name).order_by("name", "id")
    kinds, found = all_kinds(), []
    for id_, workflow, definition in likely.values_list("id", "name", "definition").iterator(chunk_size=200):
        if name in mentions(definition, kinds).names(sort):
            found.append(User(id_, workflow))
        if len(found) == MOST_USERS:
            break
    return tuple(found)


def check(workspace_id: UUID, definition: Mapping[str, Json]) -> None:
    """Raise InvalidInput when the document mentions what the workspace does not have."""
    found = list(refusals(workspace_id, definition))
    if found:
        raise InvalidInput.from_problems(found)


def refusals(workspace_id: UUID, definition: Mapping[str, Json], *, base: str = "/definition") -> Iterator[Problem]:
    """Every variable and secret that is not there, with pointers under `base`.

    A variable that `default` or `is defined` stands in for may be missing.
    """
    named = mentions(definition, all_kinds())
    yield from _unknown(workspace_id, VARS, [one for one in named.vars if one.is_required], base)
    yield from _unknown(workspace_id, SECRETS, list(named.secrets), base)


def _unknown(workspace_id: UUID, sort: str, wanted: list[Mention], base: str) -> Iterator[Problem]:
    if not wanted:
        return
    known = set(MODELS[sort].objects.filter(workspace_id=workspace_id).values_list("name", flat=True))
    for one in wanted:
        if one.name not in known:
            noun = NOUNS[sort]
            hint = did_you_mean(one.name, known) or f" Create it first (POST /{noun}s), or correct the name."
            said = f'"{sort}.{one.name}": this workspace has no {noun} {one.name!r}.{hint}'
            yield Problem(f"unknown_{noun}", said, base + one.pointer)
