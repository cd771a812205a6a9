"""Database: starts runs when rows of a Django model of this installation change, whoever changes them and however.

The database notes each change in the transaction that makes it (`brainops/core/changes.py`); a worker takes the notes
within a second or two, each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from automation.engine.durations import DURATION_PATTERN, parse_duration
from automation.engine.problem import Problem
from automation.engine.wording import did_you_mean, one_of, quoted
from automation.triggers.contract import (
    Config,
    First,
    Item,
    Json,
    Poll,
    Polled,
    Polling,
    Saving,
    SourceError,
    TriggerKind,
    TriggerRow,
)
from brainops.core import changes
from brainops.core.changes import OPERATIONS, Change
from brainops.core.errors import PermissionDenied

DEFAULTS: Mapping[str, Json] = {"operations": list(OPERATIONS), "columns": [], "exclude": [], "every": "1s"}
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 3_600.0


def check(config: Config) -> Iterator[Problem]:
    """Refuse models that may not be watched and columns that they do not have."""
    models = changes.watchable()
    model = models.get(config["model"])
    if model is None:
        known = f" These are: {one_of(models, last='and')}." if models else " None is."
        hint = did_you_mean(config["model"], models) or known
        said = f"{quoted(config['model'])} is no model that BRAINOPS_WATCHED_MODELS lets be watched.{hint}"
        yield Problem("unknown_model", said, "/model")
        return
    names = changes.columns_of(model)
    for member in ("columns", "exclude"):
        for place, name in enumerate(config.get(member, [])):
            if name not in names:
                said = f"{config['model']} has no column {quoted(name)}.{did_you_mean(name, names)}"
                yield Problem("unknown_column", said, f"/{member}/{place}")
    if config.get("columns") and "update" not in config.get("operations", OPERATIONS):
        yield Problem("useless", '"columns" are about updates, and "update" is not among the operations.', "/columns")
    if not SHORTEST_SECONDS <= parse_duration(config.get("every", "1s")) <= LONGEST_SECONDS:
        yield Problem("out_of_range", f'"every" must be 1s to 1h, got {config["every"]}.', "/every")


def complete(config: Config) -> Config:
    """Fill in the defaults, so that the stored config says everything."""
    return {**DEFAULTS, **config}


def on_save(saving: Saving) -> Mapping[str, Json]:
    """Begin to watch, or end it while the trigger is off. Raises PermissionDenied, Unavailable for a busy table.

    The rows of a model belong to the installation and to no workspace, so only platform staff may name one.
    """
    trigger, by = saving.trigger, saving.by
    is_named = saving.is_new or saving.before != trigger.config
    if by is not None and is_named and not by.is_staff:
        raise PermissionDenied("Rows of the installation's own tables are shown to platform staff only.")
    model = changes.watchable().get(trigger.config["model"])
    if not trigger.is_active or model is None:
        changes.unwatch(trigger.id)
        return {}
    changes.watch(trigger.id, model, **_what(trigger.config))
    return {}


def on_delete(trigger: TriggerRow) -> None:
    """End the watch."""
    changes.unwatch(trigger.id)


def describe(triggers: Sequence[TriggerRow]) -> Mapping[UUID, Mapping[str, Json]]:
    """Whether the model may still be watched, and has the columns still."""
    found = {one.id: problem for one in triggers if (problem := _problem(one.config))}
    return {id_: {"problem": problem.message} for id_, problem in found.items()}


def poll(poll: Poll) -> Polled:
    """The changes that are noted and not decided yet; those that are, leave the outbox.

    Raises SourceError when the model may not be watched any more or has lost a column: a hidden one may be renamed.
    """
    trigger = poll.trigger
    if problem := _problem(trigger.config):
        changes.unwatch(trigger.id)
        raise problem
    model = changes.watchable()[trigger.config["model"]]
    if not changes.is_watched(trigger.id, model, **_what(trigger.config)):
        with transaction.atomic():
            changes.watch(trigger.id, model, **_what(trigger.config))
    noted = changes.oldest(trigger.id, most=poll.most)
    done = poll.seen([_key(change) for change in noted.changes]) if noted.changes else set()
    changes.forget(trigger.id, [change.id for change in noted.changes if _key(change) in done])
    key_column = str(model._meta.pk.column) if model._meta.pk else ""
    items = [_item(change, trigger.config, key_column) for change in noted.changes if _key(change) not in done]
    return Polled(items, has_more=noted.has_more)


def _what(config: Config) -> dict[str, Any]:
    return {"operations": config["operations"], "columns": config["columns"], "hidden": config["exclude"]}


def _problem(config: Config) -> SourceError | None:
    """Why the model of a stored config cannot be watched now."""
    label = config["model"]
    model = changes.watchable().get(label)
    if model is None:
        said = f"The installation does not let {label} be watched any more (BRAINOPS_WATCHED_MODELS)."
        return SourceError(said, code="not_watched")
    names = changes.columns_of(model)
    lost = [name for name in [*config["columns"], *config["exclude"]] if name not in names]
    if not lost:
        return None
    said = f"{label} has no column {quoted(lost[0])} any more. Save the trigger with the columns that it has now."
    return SourceError(said, code="unknown_column")


def _key(change: Change) -> str:
    return str(change.id)


def _item(change: Change, config: Config, key_column: str) -> Item:
    hidden = config["exclude"]
    before, after = changes.without(change.before, hidden), changes.without(change.after, hidden)
    was, became = before or {}, after or {}
    row = became or was
    data = {
        "operation": change.operation,
        "model": config["model"],
        "pk": row.get(key_column),
        "before": before,
        "after": after,
        "changed": sorted(name for name in row if was.get(name) != became.get(name)),
    }
    refused = "The row is larger than 1 MiB, or JSON cannot hold it." if change.is_too_large else ""
    return Item(_key(change), data, at=change.at, refused=refused)


KIND = TriggerKind(
    key="database",
    title="Database",
    description="Starts runs when rows of a Django model of this installation are inserted, updated or deleted.",
    icon="database",
    config_schema={
        "type": "object",
        "required": ["model"],
        "additionalProperties": False,
        "properties": {
            "model": {
                "type": "string",
                "title": "Model",
                "description": "App and name of a model that BRAINOPS_WATCHED_MODELS lets be watched.",
                "minLength": 3,
                "maxLength": 200,
                "examples": ["shop.Order"],
            },
            "operations": {
                "type": "array",
                "title": "Operations",
                "items": {"enum": list(OPERATIONS)},
                "uniqueItems": True,
                "minItems": 1,
                "default": DEFAULTS["operations"],
            },
            "columns": {
                "type": "array",
                "title": "Columns",
                "description": "An update counts only when one of these changes. Empty: any.",
                "items": {"type": "string", "maxLength": 200},
                "maxItems": 100,
                "default": [],
                "examples": [["status"]],
            },
            "exclude": {
                "type": "array",
                "title": "Hidden columns",
                "description": "They never leave the table. Those whose names say that they hold secrets never do.",
                "items": {"type": "string", "maxLength": 200},
                "maxItems": 100,
                "default": [],
            },
            "every": {
                "type": "string",
                "title": "Look every",
                "pattern": DURATION_PATTERN,
                "x-hint": 'a duration such as "1s"',
                "default": "1s",
            },
        },
    },
    check=check,
    complete=complete,
    on_save=on_save,
    on_delete=on_delete,
    describe=describe,
    polling=Polling(
        poll=poll,
        every=lambda config: parse_duration(config["every"]),
        first=lambda _config: First.ALL,  # nothing was noted before the watch began
        origin=lambda config: config["model"],
    ),
    examples=({"model": "auth.Group", "operations": ["insert", "delete"]},),
)
