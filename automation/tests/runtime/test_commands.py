"""Commands of steps: exactly once under repeats, crashes and lost claims, on real rows."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.db import connection

from automation.engine.commands import (
    ClaimLost,
    CommandInterrupted,
    CommandRefused,
    CompareAndSet,
    DeleteValue,
    EmitEvent,
    GetValue,
    Increment,
    SetValue,
)
from automation.models import Event, LocalEffect, Run, StateValue
from automation.store.commands import Commands
from automation.store.connection import Connection
from automation.tests.runtime.held import Crash, attempt


def test_a_repeated_attempt_finds_what_its_command_did(commands, held):
    first = commands.perform(attempt(held), Increment("hits", 2))
    again = commands.perform(attempt(held), Increment("hits", 2))

    assert first == again == {"value": 2, "version": 1}
    assert list(StateValue.objects.values_list("key", "value")) == [("hits", 2)]


def test_two_commands_of_one_attempt_are_two_effects(commands, held):
    around = attempt(held)

    commands.perform(around, Increment("hits"))
    commands.perform(around, Increment("hits"))

    assert StateValue.objects.get().value == 2
    assert list(LocalEffect.objects.values_list("path", "number")) == [("a", 1), ("a", 2)]


@pytest.mark.parametrize("point", ["in_local_effect", "after_local_effect"])
def test_a_crash_in_a_command_neither_loses_nor_doubles_it(commands, held, crash_at, point):
    crash_at(point)
    with pytest.raises(Crash):
        commands.perform(attempt(held), Increment("hits"))

    commands.perform(attempt(held), Increment("hits"))

    assert StateValue.objects.get().value == 1


def test_a_commit_whose_answer_was_lost_is_not_repeated(store, held):
    class Deaf(Connection):
        """Breaks after the first commit, before the answer."""

        has_broken = False

        def transaction(self, work: Any) -> Any:
            answer = super().transaction(work)
            if not self.has_broken:
                self.has_broken = True
                raise psycopg2.OperationalError("server closed the connection unexpectedly")
            return answer

    deaf = Commands(Deaf())

    assert deaf.perform(attempt(held), Increment("hits")) == {"value": 1, "version": 1}
    assert StateValue.objects.get().value == 1
    deaf.close()


def test_a_run_that_somebody_else_holds_performs_nothing(commands, held):
    with pytest.raises(ClaimLost):
        commands.perform(attempt(held, claim=uuid4()), SetValue("k", 1))

    assert not StateValue.objects.exists()


def test_a_database_that_is_away_is_waited_for_until_the_run_stops(held):
    class Gone(Connection):
        def transaction(self, work: Any) -> Any:
            raise psycopg2.OperationalError("could not connect to server")

    asked = iter([False, True])

    with pytest.raises(CommandInterrupted):
        Commands(Gone()).perform(attempt(held, is_stopped=lambda: next(asked)), SetValue("k", 1))


def test_increments_of_many_threads_all_count(commands, held):
    def count_up(thread: int) -> None:
        for number in range(10):
            commands.perform(attempt(held, path=f"t{thread}_{number}"), Increment("hits", 0.1))

    threads = [threading.Thread(target=count_up, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (StateValue.objects.get().value, StateValue.objects.get().version) == (4, 40)  # 40 × 0.1, exactly


def test_a_value_is_set_read_and_forgotten(commands, held):
    around = attempt(held)

    assert commands.perform(around, GetValue("k")) == {"exists": False, "value": None, "version": 0}
    assert commands.perform(around, SetValue("k", {"a": 1})) == {"is_set": True, "value": {"a": 1}, "version": 1}
    assert commands.perform(around, GetValue("k")) == {"exists": True, "value": {"a": 1}, "version": 1}
    assert commands.perform(around, DeleteValue("k")) == {"existed": True}
    assert commands.perform(around, DeleteValue("k")) == {"existed": False}


@pytest.mark.parametrize(
    ("stored", "command", "answer"),
    [
        (None, SetValue("k", 2, expected_version=0), {"is_set": True, "value": 2, "version": 1}),
        (1, SetValue("k", 2, expected_version=0), {"is_set": False, "value": 1, "version": 1}),
        (1, SetValue("k", 2, expected_version=1), {"is_set": True, "value": 2, "version": 2}),
        (1, SetValue("k", 2, expected_version=7), {"is_set": False, "value": 1, "version": 1}),
        (None, SetValue("k", 2, expected_version=7), {"is_set": False, "value": None, "version": 0}),
        (None, CompareAndSet("k", None, "x"), {"is_set": True, "value": "x", "version": 1}),
        (1, CompareAndSet("k", None, "x"), {"is_set": False, "value": 1, "version": 1}),
        ({"a": 1}, CompareAndSet("k", {"a": 1.0}, "x"), {"is_set": True, "value": "x", "version": 2}),
        ({"a": 1}, CompareAndSet("k", {"a": 2}, "x"), {"is_set": False, "value": {"a": 1}, "version": 1}),
        (None, CompareAndSet("k", 1, "x"), {"is_set": False, "value": None, "version": 0}),
    ],
)
def test_a_value_is_set_only_where_it_is_as_expected(commands, held, stored, command, answer):
    if stored is not None:
        StateValue.objects.create(workspace_id=held.workspace_id, key="k", value=stored)

    assert commands.perform(attempt(held), command) == answer


def test_a_value_that_expired_counts_as_absent(commands, held):
    around = attempt(held)
    commands.perform(around, SetValue("k", 5, expires_seconds=60))
    with connection.cursor() as cursor:
        cursor.execute("update automation_statevalue set expires_at = now() - interval '1 second'")

    assert commands.perform(around, GetValue("k")) == {"exists": False, "value": None, "version": 0}
    assert commands.perform(around, Increment("k")) == {"value": 1, "version": 2}
    assert StateValue.objects.get().expires_at is None


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (SetValue("", 1), "invalid_key"),
        (SetValue("a b", 1), "invalid_key"),
        (SetValue("a\n", 1), "invalid_key"),
        (SetValue("k" * 201, 1), "invalid_key"),
        (SetValue("k", "x" * 70_000), "value_too_large"),
        (SetValue("k", "a\0b"), "unstorable_value"),
        (Increment("text"), "not_a_number"),
        (Increment("k", 2**53), "number_too_large"),
        (Increment("large", 5), "number_too_large"),
        (EmitEvent("two words"), "invalid_event_name"),
        (EmitEvent("order\n"), "invalid_event_name"),
        (EmitEvent("big", "x" * 70_000), "value_too_large"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(commands, held, command, code):
    StateValue.objects.create(workspace_id=held.workspace_id, key="text", value="one")
    StateValue.objects.create(workspace_id=held.workspace_id, key="large", value=2**53 - 2)

    with pytest.raises(CommandRefused) as refused:
        commands.perform(attempt(held), command)

    assert refused.value.code == code
    assert dict(StateValue.objects.values_list("key", "value")) == {"text": "one", "large": 2**53 - 2}
    assert not LocalEffect.objects.exists()


def test_a_workspace_holds_so_many_keys(commands, held, settings):
    settings.BRAINOPS_LIMITS = settings.BRAINOPS_LIMITS | {"state_keys": 1}
    commands.perform(attempt(held, path="a"), SetValue("one", 1))
    commands.perform(attempt(held, path="b"), SetValue("one", 2))

    with pytest.raises(CommandRefused, match="BRAINOPS_LIMIT_STATE_KEYS"):
        commands.perform(attempt(held, path="c"), SetValue("two", 1))

    assert dict(StateValue.objects.values_list("key", "value")) == {"one": 2}


def test_an_event_is_emitted_once(commands, held):
    answers = [commands.perform(attempt(held), EmitEvent("order.paid", {"id": 7})) for _ in range(2)]

    event = Event.objects.get()
    assert answers == [{"event_id": str(event.id)}] * 2
    assert (event.name, event.payload, event.run_id, event.path) == ("order.paid", {"id": 7}, held.id, "a")


def test_a_zombie_that_lost_its_claim_between_two_commands_changes_nothing_more(commands, held):
    around = attempt(held)
    commands.perform(around, Increment("hits"))
    Run.objects.filter(id=held.id).update(claim=uuid4())

    with pytest.raises(ClaimLost):
        commands.perform(around, Increment("hits"))

    assert StateValue.objects.get().value == 1
