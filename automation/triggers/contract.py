"""The contract of a trigger kind: declared data plus what happens when a trigger is saved, shown, deleted or due.

A kind is one file in the `triggers/` folder of any installed app, holding `KIND`; its key is the file's name.
The form, the checks and the documentation are made from the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from automation.engine.problem import Problem

Json = Any
Config = Mapping[str, Json]


class TriggerRow(Protocol):
    """The stored trigger as a kind sees it (`automation.models.Trigger`; this room stands below the models)."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    name: str
    kind: str
    config: dict[str, Json]
    inputs: dict[str, Json]
    is_active: bool


class Missed(StrEnum):
    """What becomes of slots that came due while nobody could fire them."""

    SKIP = "skip"  # none of them runs
    LAST = "last"  # only the newest one runs
    ALL = "all"  # each one runs, the newest 100 at most


class Overlap(StrEnum):
    """What becomes of a slot while a run of the trigger is still under way."""

    ALLOW = "allow"  # it runs beside it
    SKIP = "skip"  # it is left out
    CANCEL_OLD = "cancel_old"  # it runs, and the older run is cancelled


@dataclass(frozen=True, slots=True)
class Clock:
    """For kinds that fire by the clock.

    `next_after(config, after)` is the first slot strictly after an aware instant, None when there is none any more;
    `missed(config)` the policy, `missed_within(config)` the age in seconds up to which a slot is caught up at all,
    None for any. `jitter(config)` is the longest delay of a slot in seconds, `overlap(config)` whether its
    runs may overlap. All get a config that was checked.
    """

    next_after: Callable[[Config, datetime], datetime | None]
    missed: Callable[[Config], Missed]
    missed_within: Callable[[Config], float | None] = lambda _config: None
    jitter: Callable[[Config], float] = lambda _config: 0.0
    overlap: Callable[[Config], Overlap] = lambda _config: Overlap.ALLOW


@dataclass(frozen=True, slots=True)
class Saving:
    """What a kind is told when a trigger was written. `secrets` are the submitted values of `secret_keys`.

    `before` is the config that was stored until now, None for a new trigger. `by` is the caller (a user's or
    key's identity as the services know it), None for the installation itself.
    """

    trigger: TriggerRow
    before: Config | None
    secrets: Mapping[str, Json] = field(default_factory=dict)
    by: Any = None

    @property
    def is_new(self) -> bool:
        """True when the trigger was just created."""
        return self.before is None


def _no_problems(_config: Config) -> Iterable[Problem]:
    return ()


def _as_given(config: Config) -> Config:
    return config


def _nothing_to_do(_saving: Saving) -> Mapping[str, Json]:
    return {}


def _nothing_to_undo(_trigger: TriggerRow) -> None:
    return None


def _nothing_to_say(_triggers: Sequence[TriggerRow]) -> Mapping[UUID, Mapping[str, Json]]:
    return {}


@dataclass(frozen=True, slots=True)
class TriggerKind:
    """A trigger kind.

    - `check(config)` runs after `config_schema` and says what a schema cannot; pointers are into the config (`/cron`).
    - `complete(config)` returns the config to store: defaults filled in. Runs after the checks.
    - `on_save(saving)` runs in the transaction that wrote the row, so what it writes stands or falls with it.
      It returns what the caller is shown once, in this answer only (a generated secret).
    - `on_delete(trigger)` runs in the deleting transaction, before the row goes.
    - `describe(triggers)` answers for many at once what every answer shows beside the config (an address, the next
      fire times), as `{trigger id: {…}}`, with a number of queries that does not grow with the list.
    - `secret_keys` are top-level keys of the config that are write-only: checked, given to `on_save`, never stored
      in the row, never shown.
    """

    key: str
    title: str
    description: str
    icon: str  # Material Symbols name
    config_schema: Mapping[str, Json]
    check: Callable[[Config], Iterable[Problem]] = _no_problems
    complete: Callable[[Config], Config] = _as_given
    on_save: Callable[[Saving], Mapping[str, Json]] = _nothing_to_do
    on_delete: Callable[[TriggerRow], None] = _nothing_to_undo
    describe: Callable[[Sequence[TriggerRow]], Mapping[UUID, Mapping[str, Json]]] = _nothing_to_say
    clock: Clock | None = None
    secret_keys: frozenset[str] = frozenset()
    examples: tuple[Config, ...] = ()  # configs that tests check

    @property
    def writes_more(self) -> bool:
        """True when saving one writes more than its row."""
        return self.on_save is not _nothing_to_do
