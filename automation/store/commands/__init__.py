"""Commands of steps on our own database: each takes effect exactly once, in one transaction fenced by the claim.

One file a noun. A file registers in `HANDLERS` what it executes: `{command class: handler(cursor, context, command)}`.
The result of a command is kept (`automation_localeffect`) in the transaction of its effect, so a repeat of the step
finds it and does nothing. Commands in `POLLS` are asked anew each time: they only look, or are unique by themselves.
Those in `RINGS` may make a run ready, so the bell rings after their commit.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from queue import SimpleQueue
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson
import psycopg2
import structlog

from automation.engine.commands import ClaimLost, Command, CommandInterrupted, CommandRefused
from automation.engine.points import reach
from automation.store import bell
from automation.store.connection import TOO_LARGE, UNREACHABLE, Connection

Json = Any
Handler = Callable[[Any, "CommandContext", Any], Json]

MOST_CONNECTIONS = 2  # of a process: a command takes about a millisecond
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0

log = structlog.get_logger(__name__)

# Statements of their own: what a transaction committed while the first waited for its lock, only the second sees.
FENCE = "select 1 from automation_run where id = %(run)s and claim = %(claim)s and status = 20 for no key update"
MEMO = (
    "select result::text from automation_localeffect where run_id = %(run)s and path = %(path)s and number = %(number)s"
)
REMEMBER = "insert into automation_localeffect (run_id, path, number, result) values (%s, %s, %s, %s::jsonb)"


@dataclass(frozen=True, slots=True)
class CommandContext:
    """On whose behalf a command is performed: one attempt of one step of a claimed run.

    `numbers` counts the commands of the attempt from 1, so give each attempt a fresh context. `is_stopped()` turns
    true when the run must not wait any longer for a database that is away. `depth` counts the calls above the run.
    `after` is what a command leaves to be done after its commit.
    """

    run_id: int
    run_uid: UUID
    claim: UUID
    workspace_id: UUID
    workflow_id: UUID
    depth: int
    path: str
    attempt: int
    is_stopped: Callable[[], bool] = lambda: False
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    after: list[Callable[[], None]] = field(default_factory=list)


class Commands:
    """Performs commands for all step threads of a process, on at most two connections."""

    def __init__(self, *connections: Connection) -> None:
        made = connections or tuple(Connection(application_name="brainops-commands") for _ in range(MOST_CONNECTIONS))
        self._connections = made
        self._free: SimpleQueue[Connection] = SimpleQueue()
        for connection in made:
            self._free.put(connection)

    def perform(self, context: CommandContext, command: Command) -> Json:
        """Perform a command, or return what it answered before. Waits for an unreachable database.

        Raises ClaimLost, CommandRefused, and CommandInterrupted when the run stopped while the database was away.
        """
        number = next(context.numbers)
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._once(context, command, number)
            except (psycopg2.DataError, *TOO_LARGE) as error:
                raise _unstorable(command, error) from error
            except UNREACHABLE as error:
                # an unknown commit is safe to repeat: the memo, or a unique key, finds what was done
                log.warning("command_waits_for_database", error=str(error).strip(), run_id=str(context.run_uid))
                if context.is_stopped():
                    said = "The database could not be reached before the run had to stop."
                    raise CommandInterrupted(said) from error
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        """Close every connection; a later command opens them again."""
        for connection in self._connections:
            connection.close()

    def _once(self, context: CommandContext, command: Command, number: int) -> Json:
        context.after.clear()
        with self._connection() as connection:
            answer = connection.transaction(lambda cursor: perform_in_transaction(cursor, context, command, number))
        reach("after_local_effect")
        if type(command) in known().rings:
            bell.ring()
        for act in context.after:
            act()
        return answer

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        connection = self._free.get()
        try:
            yield connection
        finally:
            self._free.put(connection)


def perform_in_transaction(cursor: Any, context: CommandContext, command: Command, number: int) -> Json:
    """Perform a command, or return its memo. Raises ClaimLost when the run is held by somebody else."""
    cursor.execute(FENCE, {"run": context.run_id, "claim": context.claim})
    if cursor.fetchone() is None:
        raise ClaimLost
    handler = known().handlers[type(command)]
    if type(command) in known().polls:
        answer = handler(cursor, context, command)
        reach("in_local_effect")
        return answer
    cursor.execute(MEMO, {"run": context.run_id, "path": context.path, "number": number})
    row = cursor.fetchone()
    if row is not None:
        return orjson.loads(row[0]) if row[0] is not None else None
    answer = handler(cursor, context, command)
    cursor.execute(REMEMBER, (context.run_id, context.path, number, orjson.dumps(answer).decode()))
    reach("in_local_effect")
    return answer


@dataclass(frozen=True, slots=True)
class Known:
    """What the files of this folder registered."""

    handlers: Mapping[type[Command], Handler]
    polls: frozenset[type[Command]]
    rings: frozenset[type[Command]]


@cache
def known() -> Known:
    """Everything this folder can execute."""
    handlers: dict[type[Command], Handler] = {}
    polls: set[type[Command]] = set()
    rings: set[type[Command]] = set()
    for found in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{found.name}")
        handlers |= getattr(module, "HANDLERS", {})
        polls |= getattr(module, "POLLS", frozenset())
        rings |= getattr(module, "RINGS", frozenset())
    return Known(MappingProxyType(handlers), frozenset(polls), frozenset(rings))


def _unstorable(command: Command, error: Exception) -> CommandRefused:
    sentence = str(error).strip().partition("\n")[0]
    said = f"{type(command).__name__} cannot be stored: {sentence}. Remove such values from the step's input."
    return CommandRefused("unstorable_value", said)
