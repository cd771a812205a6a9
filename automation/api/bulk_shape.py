"""How bulk requests begin and how their outcomes are shown, whatever the things are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers

from automation.services.bulk import REFUSED_AS_A_WHOLE, Fate, Manner, Outcome, Report
from brainops.core.errors import Conflict, InvalidInput, Problem

MOST_IDS = 10_000  # in any installation; BRAINOPS_LIMIT_BULK_ITEMS is the ceiling of this one
UUID_TEXT = {"type": "string", "format": "uuid", "maxLength": 36}
INSTANT = {"type": "string", "format": "date-time", "maxLength": 40}
IDS = {"type": "array", "items": UUID_TEXT, "minItems": 1, "maxItems": MOST_IDS, "description": "Which ones."}
MANNER = {
    "dry_run": {"type": "boolean", "default": False, "description": "Change nothing; say what would become of each."},
    "all_or_nothing": {
        "type": "boolean",
        "default": False,
        "description": "Change nothing unless it works for every single one; 409 bulk_refused otherwise.",
    },
}


class WhyNot(serializers.Serializer[Any]):
    """Why one was refused."""

    code = serializers.CharField(help_text="The code that a single request would have got.")
    detail = serializers.CharField()


class OutcomeShape(serializers.Serializer[Any]):
    """What became of one of them."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(
        [fate.value for fate in Fate],
        help_text="`unchanged`: it was so already. `not_found`: missing, or not yours. `withheld`: others were "
        "refused, and all or nothing was asked. In a dry run: what would become of it.",
    )
    problem = WhyNot(allow_null=True)


def report_body(action: str, report: Report, manner: Manner) -> dict[str, Any]:
    """The answer. Raises Conflict (`bulk_refused`) with all outcomes when all or nothing became nothing."""
    body: dict[str, Any] = {
        "action": action,
        "dry_run": manner.is_dry_run,
        "applied": report.is_applied,
        "total": len(report.outcomes),
        "counts": {fate.value: report.counts.get(fate.value, 0) for fate in Fate},
        "results": [_outcome(outcome) for outcome in report.outcomes],
    }
    if not (report.is_applied or manner.is_dry_run) or body["counts"][Fate.WITHHELD.value]:
        said = "Nothing was changed: some of them cannot be, and all or nothing was asked. `results` says which."
        raise Conflict(said, code=REFUSED_AS_A_WHOLE, details=_plain(body))
    return body


def read_manner(body: Mapping[str, Any]) -> Manner:
    """How to carry it out."""
    return Manner(body.get("dry_run", False), body.get("all_or_nothing", False))


def read_which(body: Mapping[str, Any], find: Callable[[Mapping[str, Any]], list[UUID]]) -> list[UUID]:
    """The ids in a body, or what `find` makes of its filter. Raises InvalidInput unless exactly one of both is said."""
    if ("ids" in body) == ("filter" in body):
        said = "Say which ones: either `ids` or `filter`."
        raise InvalidInput(said, problems=[Problem("which_ones", said, "")])
    return read_ids(body["ids"], "/ids") if "ids" in body else find(body["filter"])


def read_ids(texts: list[str], pointer: str) -> list[UUID]:
    """The ids. Raises InvalidInput that names every text that is none."""
    found, problems = [], []
    for place, text in enumerate(texts):
        try:
            found.append(UUID(text))
        except ValueError:
            problems.append(Problem("invalid_id", f"{text!r} is no id.", f"{pointer}/{place}"))
    if problems:
        raise InvalidInput.from_problems(problems)
    return found


def read_filter(shape: type[serializers.Serializer[Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """The filter with its ids and instants read. Raises InvalidInput."""
    values = shape(data=dict(given))
    if not values.is_valid():
        raise InvalidInput.from_problems(
            Problem("invalid_value", f"{name}: {_first(messages)}", f"/filter/{name}")
            for name, messages in values.errors.items()
        )
    return dict(values.validated_data)


def _outcome(outcome: Outcome) -> dict[str, Any]:
    problem = outcome.problem and {"code": outcome.problem.code, "detail": outcome.problem.message}
    return {"id": outcome.id, "status": outcome.fate.value, "problem": problem, **outcome.facts}


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "results": [{**result, "id": str(result["id"])} for result in body["results"]]}


def _first(messages: Any) -> str:
    if isinstance(messages, dict):  # of the items of a list, by their index
        return _first(next(iter(messages.values())))
    return str(messages[0])
