"""How imported content meets what is here already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from automation.models import Trigger, Workflow
from automation.services.documents import canonical
from automation.services.exchange.plans import NewTrigger, NewVersion, Stored, Strategy
from automation.services.workflow_drafts import content_of as content_of_row

Json = Any

MOST_TAGS = 50


def content(value: Mapping[str, Json]) -> dict[str, Json]:
    """What versions are about, from a workflow or a version of a file."""
    return {
        "name": value["name"],
        "description": value.get("description", ""),
        "definition": value["definition"],
        "tags": value.get("tags", []),
        "meta_data": value.get("meta_data", {}),
    }


def content_of(row: Workflow) -> dict[str, Json]:
    """The same of a stored workflow."""
    return content_of_row(row).values()


def wanted(strategy: Strategy, value: Mapping[str, Json], row: Workflow) -> dict[str, Json]:
    """The content that the workflow shall have. Overwriting takes the file's; else tags and meta_data are united.

    Of tags the present ones come first, at most 50 in all; of meta_data the file's members win, object by object. A
    description that the file does not tell stays.
    """
    new = content(value)
    if strategy is Strategy.OVERWRITE:
        return new
    new["tags"] = list(dict.fromkeys([*row.tags, *new["tags"]]))[:MOST_TAGS]
    new["meta_data"] = united(row.meta_data, new["meta_data"])
    if "description" not in value:
        new["description"] = row.description
    return new


def united(old: Json, new: Json) -> Json:
    """Two values as one: objects member by member, else the new one."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {**old, **{key: united(old[key], value) if key in old else value for key, value in new.items()}}


def newer(stored: Stored, told: Sequence[NewVersion]) -> list[NewVersion]:
    """The versions that the file has beyond those here, when it begins with exactly those; else none."""
    count = len(stored.versions)
    if not 0 < count < len(told):
        return []
    same = [(one.number, one.checksum) for one in told[:count]]
    is_present = is_same(told[count - 1].content, content_of(stored.row))
    return list(told[count:]) if same == stored.versions and is_present else []


def triggers(
    strategy: Strategy, told: Sequence[NewTrigger], present: Sequence[Trigger]
) -> tuple[list[NewTrigger], list[Trigger]]:
    """Which triggers come and which go: merging only adds, overwriting leaves exactly those of the file."""
    here = {_mark(one): one for one in present}
    wanted_marks = {_mark(one) for one in told}
    come = [one for one in told if _mark(one) not in here]
    goes = [one for mark, one in here.items() if mark not in wanted_marks]
    return come, goes if strategy is Strategy.OVERWRITE else []


def is_same(one: Json, other: Json) -> bool:
    """Equal as JSON: 1 is not true."""
    return canonical(one) == canonical(other)


def parts(number: str) -> tuple[int, ...]:
    """A version number to compare."""
    return tuple(map(int, number.split(".")))


def _mark(trigger: NewTrigger | Trigger) -> bytes:
    """What makes two triggers the same: all but their switch."""
    return canonical([trigger.kind, trigger.name, dict(trigger.config), dict(trigger.inputs), trigger.condition])
