"""Drafts: what a client may say about a workflow, checked field by field and all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from automation.engine import retention
from automation.engine.checker import Checker
from automation.engine.retention import MOST_KEPT, STATUSES
from automation.models import Workflow
from automation.services.documents import refusals
from automation.services.field_checks import check, problems
from automation.services.merge_patch import merge_patch
from automation.services.version_numbers import Bump
from brainops.core.errors import InvalidInput, Problem

ONE_LINE = {"pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$", "x-hint": "a text on one line that is not blank"}

# Also the request schema of the OpenAPI document: one source for both.
FIELDS: dict[str, Any] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 200, **ONE_LINE, "examples": ["Order to Slack"]},
    "description": {"type": "string", "maxLength": 10_000, "default": ""},
    "definition": {"type": "object", "description": "The workflow document; GET /workflow-schema describes it."},
    "tags": {
        "type": "array",
        "maxItems": 50,
        "uniqueItems": True,
        "items": {"type": "string", "minLength": 1, "maxLength": 50, **ONE_LINE},
        "default": [],
        "examples": [["orders", "slack"]],
    },
    "meta_data": {"type": "object", "description": "Whatever the client wants to keep with it.", "default": {}},
    "is_active": {"type": "boolean", "description": "Whether it starts runs. Changing it makes no version."},
    "retention": {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            **{word: {"type": "string", "maxLength": 40} for word in STATUSES},
            "keep_last": {"type": "integer", "minimum": 0, "maximum": MOST_KEPT},
        },
        "description": "How long its runs stay after their end, by status: a duration of a day or more, or `forever`; "
        "`keep_last` of the newest stay in any case. null: the installation's defaults. Changing it makes no version.",
        "examples": [{"succeeded": "7d", "failed": "30d", "keep_last": 100}],
    },
    "note": {"type": "string", "maxLength": 500, "description": "Why this version was made."},
    "bump": {
        "type": "string",
        "enum": [bump.value for bump in Bump],
        "default": Bump.PATCH.value,
        "description": "Which part of the version number a change raises.",
    },
}
REQUIRED = ("name", "definition")
CONTENT_FIELDS = ("name", "description", "definition", "tags", "meta_data")


def _checker(*required: str) -> Checker:
    # the document says itself, better, what is wrong with it
    properties = {**FIELDS, "definition": True}
    return Checker({"type": "object", "additionalProperties": False, "required": required, "properties": properties})


_WHOLE = _checker(*REQUIRED)
_PART = _checker()


AS_IT_IS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Content:
    """What versions are about."""

    name: str
    definition: dict[str, Any]
    description: str = ""
    tags: tuple[str, ...] = ()
    meta_data: Mapping[str, Any] | None = None

    def values(self) -> dict[str, Any]:
        """The columns of workflow and version."""
        return {
            "name": self.name,
            "description": self.description,
            "definition": self.definition,
            "tags": list(self.tags),
            "meta_data": dict(self.meta_data or {}),
        }


@dataclass(frozen=True, slots=True)
class Draft:
    """One save: the new content, and what else the client asked for.

    `is_active` None and `retention` AS_IT_IS leave it as it is; `retention` None goes back to the defaults.
    """

    content: Content
    is_active: bool | None = None
    retention: Mapping[str, Any] | None = field(default_factory=lambda: AS_IT_IS)
    note: str = ""
    bump: Bump = Bump.PATCH


def content_of(row: Workflow) -> Content:
    """The content of a stored workflow."""
    return Content(row.name, row.definition, row.description, tuple(row.tags), row.meta_data)


def read_draft(body: Any) -> Draft:
    """The draft of a whole workflow (POST, PUT). Raises InvalidInput with everything that is wrong."""
    return _draft(_checked(body, _WHOLE))


def read_patch(body: Any, row: Workflow) -> Draft:
    """The draft of a JSON Merge Patch (RFC 7396) of a stored workflow. Raises InvalidInput like `read_draft`."""
    if not isinstance(body, dict):
        check(_PART, body)
    before = {**content_of(row).values(), "is_active": row.is_active, "retention": row.retention}
    return _draft({"retention": None, **_checked(merge_patch(before, body), _WHOLE)})


def read_content(body: Mapping[str, Any], before: Content) -> Content:
    """The content with the members that were sent instead. Raises InvalidInput with everything that is wrong."""
    return _draft(_checked({**before.values(), **body}, _WHOLE)).content


def _draft(body: Mapping[str, Any]) -> Draft:
    content = Content(
        name=body["name"],
        definition=body["definition"],
        description=body.get("description", ""),
        tags=tuple(body.get("tags", ())),
        meta_data=body.get("meta_data"),
    )
    return Draft(
        content,
        is_active=body.get("is_active"),
        retention=body.get("retention", AS_IT_IS),
        note=body.get("note", ""),
        bump=Bump(body.get("bump", Bump.PATCH)),
    )


def _checked(body: Any, checker: Checker) -> Mapping[str, Any]:
    found = list(problems(checker, body))
    if isinstance(body, dict) and "definition" in body:
        found.extend(refusals(body["definition"]))
    if not found and isinstance(body.get("retention"), dict):
        wrong = retention.refusals(body["retention"])
        found.extend(Problem("invalid_retention", said, f"/retention{pointer}") for pointer, said in wrong)
    if found:
        raise InvalidInput.from_problems(found)
    return body  # type: ignore[no-any-return]  # JSON, checked above
