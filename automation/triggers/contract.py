"""The contract of a trigger kind: declared data plus what happens when a trigger is saved, shown, deleted or due.

A kind is one file in the `triggers/` folder of any installed app, holding `KIND`; its key is the file's name.
The form, the checks and the documentation are made from the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from automation.engine.problem import Problem
from automation.triggers.streaming import Streaming

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
    QUEUE = "queue"  # it waits until the older run has ended


@dataclass(frozen=True, slots=True)
class Clock:
    """For kinds that fire by the clock.

    `next_after(config, after)` is the first slot strictly after an aware instant, None when there is none any more;
    `missed(config)` the policy, `missed_within(config)` the age in seconds up to which a slot is caught up at all,
    None for any. `jitter(config)` is the longest delay of a slot in seconds, `overlap(config)` whether its
    runs may overlap, `queue_limit(config)` how many slots may wait for older runs. A slot that is later than
    `alert_after(config)` seconds is told to whoever wants to know, None for never; so it is when no run of the workflow
    succeeded within `success_within(config)` seconds, None where none is expected. All get a config that was checked.
    """

    next_after: Callable[[Config, datetime], datetime | None]
    missed: Callable[[Config], Missed]
    missed_within: Callable[[Config], float | None] = lambda _config: None
    jitter: Callable[[Config], float] = lambda _config: 0.0
    overlap: Callable[[Config], Overlap] = lambda _config: Overlap.ALLOW
    queue_limit: Callable[[Config], int] = lambda _config: 1
    alert_after: Callable[[Config], float | None] = lambda _config: None
    success_within: Callable[[Config], float | None] = lambda _config: None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a source showed or somebody brought: a mail, a file, a message of a stream.

    `key` names it within its trigger: one run per key, ever. `data` is plain JSON, the run's `trigger.item`; files in
    it are references (`Poll.keep_file`). `at` is when it came about. `handle` is what `Polling.settle` needs to find
    the thing again, small plain JSON. `refused` says why the kind itself lets it start nothing (an automatic reply, too
    large): it stands in the ledger as refused, with this reason. `facts` are further members of the run's `trigger`,
    such as what a broker says about a message.
    """

    key: str
    data: Json
    at: datetime | None = None
    handle: Json = None
    refused: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict)


class SourceError(Exception):
    """A source cannot be read now. The message says which one, why, and the way out; it never holds a secret.

    `code` is stable. The source is asked again later, each time after a longer pause; `retry_after_seconds` is the
    least one, where the source itself said so.
    """

    def __init__(self, message: str, *, code: str = "source_failed", retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class ReadSecret(Protocol):
    """Reads a secret of the workspace."""

    def __call__(self, name: str, *, host: str = "") -> str:
        """The value. `host` is where it goes: name, or name and port. Raises SourceError, also for a wrong host."""


def _nothing_kept(_reference: Mapping[str, Json]) -> BinaryIO:
    raise SourceError("The file is gone.", code="file_gone")


@dataclass(frozen=True, slots=True)
class Poll:
    """What a polling kind gets to look at its source once, outside of every transaction.

    `cursor` is what the last look returned, None at the first one. `most` items are wanted at once. `secret(name,
    host=…)` is the value of a secret of the workspace; raises SourceError. `seen(keys)` are those of the keys that need
    not be shown again: for sources without a cursor. `keep_file(name, content_type, data)` stores a file and returns
    the reference to put into an item; raises SourceError for one that is too large. `open_file(reference)` are the
    bytes of a file that was kept; raises SourceError for one that is gone.
    """

    trigger: TriggerRow
    cursor: Json
    most: int
    secret: ReadSecret
    seen: Callable[[Collection[str]], set[str]]
    keep_file: Callable[[str, str, bytes | BinaryIO], dict[str, Json]]
    open_file: Callable[[Mapping[str, Json]], BinaryIO] = _nothing_kept


@dataclass(frozen=True, slots=True)
class Polled:
    """What a look found, oldest first, and the cursor to go on with. `has_more`: the next look need not wait."""

    items: Sequence[Item]
    cursor: Json = None
    has_more: bool = False


class First(StrEnum):
    """What becomes of things that were there before the trigger."""

    SKIP = "skip"  # they are remembered and start nothing
    ALL = "all"  # each one starts a run


def _skip_first(_config: Config) -> str:
    return First.SKIP


def _all_but_rhythm(config: Config) -> Json:
    return {name: value for name, value in config.items() if name != "every"}


@dataclass(frozen=True, slots=True)
class Polling:
    """For kinds that look at a source from time to time. A look blocks no longer than some minutes.

    `poll(poll)` looks once; raises SourceError. The cursor is stored together with the runs that its items start, or
    not at all; a look whose items could not all be taken (a full limit) is repeated with the old cursor.
    `every(config)` are the seconds between two looks, `first(config)` what becomes of things that were there before.
    `settle(poll, items)` is told, after the commit, which items started a run, to mark, move or delete them: at least
    once each, until it returned. It gets those that have a handle; they come without their data.
    `origin(config)` names the source: when it changes, the cursor begins anew. `polls(config)` is False for a trigger
    of the kind that is brought its items and has no source to look at.
    """

    poll: Callable[[Poll], Polled]
    every: Callable[[Config], float]
    first: Callable[[Config], str] = _skip_first
    settle: Callable[[Poll, Sequence[Item]], None] | None = None
    origin: Callable[[Config], Json] = _all_but_rhythm
    polls: Callable[[Config], bool] = lambda _config: True


@dataclass(frozen=True, slots=True)
class Sample:
    """Something that came to a trigger, or could: what a run of it would see as `trigger`.

    `given` is what stands under the fixed inputs. `id` and `at` are those of the thing that came; `is_cut`: large parts
    of it are not kept.
    """

    trigger: Json
    given: Json = None
    id: UUID | None = None
    at: datetime | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Sampling:
    """For kinds that keep what comes to them themselves, beside the ledger of arrivals.

    `captured(trigger, id)` is the thing of that id, or the newest one that can serve; None when there is none.
    `given(trigger, data)` is one made of data that somebody gives.
    """

    captured: Callable[[TriggerRow, UUID | None], Sample | None]
    given: Callable[[TriggerRow, Json], Sample]


@dataclass(frozen=True, slots=True)
class Activity:
    """What came to a trigger of a kind that keeps that itself. `counts` are those of the last 24 hours, by decision.

    `error` is why the last thing that came was refused, "" when it was not; `failing_since` when that began.
    """

    last_arrived_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    error_code: str = ""
    failing_since: datetime | None = None


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
    - `clock` makes it fire by the clock, `polling` look at a source, `streaming` listen to one in the consumer process;
      `listens`: others bring it its items.
    - `sampling` and `activity(triggers)` (for many at once, like `describe`) belong to kinds that keep what comes to
      them themselves; for the others the ledger of arrivals says both.
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
    polling: Polling | None = None
    streaming: Streaming | None = None
    listens: bool = False
    sampling: Sampling | None = None
    activity: Callable[[Sequence[TriggerRow]], Mapping[UUID, Activity]] | None = None
    secret_keys: frozenset[str] = frozenset()
    examples: tuple[Config, ...] = ()  # configs that tests check

    @property
    def writes_more(self) -> bool:
        """True when saving one writes more than its row."""
        return self.on_save is not _nothing_to_do or self.polling is not None
