"""Streams: listen to the brokers of triggers, and take each message once.

A message is settled at its broker after the commit of what it started, and the ledger of arrivals knows it by then.
Killed before the commit, nothing happened and the broker delivers it again; killed after it, it is known when it comes
again. While a limit or the quota is full nothing more is asked for: messages wait at the broker, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import Event
from time import monotonic
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, connection, connections, transaction

from automation.engine.points import reach
from automation.models import Trigger
from automation.services import arrivals, listeners, poll_context
from automation.services.arrivals import Arrived
from automation.services.listeners import Listener
from automation.services.message_reading import item_of
from automation.services.poll_context import Opened
from automation.services.sources import LONGEST_ERROR, Lost, refusal_of
from automation.store import bell, sources, stream_sources
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Item, SourceError
from automation.triggers.streaming import Joining, Streaming
from brainops.core.metrics import Counter
from brainops.core.redact import redact_line
from integrations.runner.brokers.contract import BrokerError, Message, Stream

MOST = 100  # messages of one transaction
WAIT_SECONDS = 1.0  # for messages, between two looks at whether to stop
SIGN_SECONDS = 30.0  # between two notes that a silent source is still there
LOST_SECONDS = 5.0  # by then the consumer knows that it was switched off or deleted, too
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 30.0  # for room

TAKEN = Counter("brainops_stream_messages_total", "Messages of streams, by what became of them.", ("kind", "outcome"))

log = structlog.get_logger(__name__)


def streams() -> Iterable[Listener]:
    """What is to be listened to now. Of a workflow that is switched off messages wait at the broker."""
    kinds = [key for key, kind in all_trigger_kinds().items() if kind.streaming]
    rows = Trigger.objects.filter(is_active=True, kind__in=kinds, workflow__is_active=True)
    rows = rows.filter(workflow__archived_at=None, workflow__current_version__isnull=False)
    for id_, kind, config in rows.values_list("id", "kind", "config"):
        yield Listener(f"{kind}:{id_}", listeners.fingerprint(config), partial(listen, id_))


def listen(trigger_id: UUID, stop: Event) -> None:
    """Listen until `stop`. Raises SourceError when the broker fails, after noting it for people."""
    trigger = Trigger.objects.filter(id=trigger_id).first()
    if trigger is None:
        return
    kind = all_trigger_kinds()[trigger.kind]
    assert kind.streaming is not None  # noqa: S101 - `streams` chose by it
    with connection.cursor() as cursor:
        held = stream_sources.join(cursor, trigger.id, trigger.workspace_id)
    ear = _Ear(trigger, kind.streaming, held, stop)
    try:
        ear.listen()
    except Lost:
        log.info("stream_lost", trigger_id=str(trigger_id))
        stop.wait(LOST_SECONDS)
    except (DatabaseError, InterfaceError):
        raise  # not the broker's fault; nothing could be noted now
    except Exception as error:
        raise ear.noted(error) from error
    finally:
        ear.close()


class _Ear:
    """One trigger's connection to its broker, with what was received and not yet taken."""

    def __init__(self, trigger: Trigger, streaming: Streaming, held: sources.Held, stop: Event) -> None:
        self._trigger, self._streaming, self._held, self._stop = trigger, streaming, held, stop
        self._opened = Opened()
        self._origin = listeners.fingerprint(streaming.origin(trigger.config))
        self._context = poll_context.of(trigger, held, self._opened, most=MOST)
        self._stream: Stream | None = None
        self._sign_due = 0.0

    def listen(self) -> None:
        stream = self._stream = self._join()
        self._give_sign(stream)
        rest_seconds = FIRST_REST_SECONDS
        waiting: Sequence[Message] = ()
        while not self._stop.is_set():
            messages = waiting or stream.fetch(MOST, WAIT_SECONDS)
            if messages:
                before, waiting = len(messages), self._take(stream, messages)
                rest_seconds = FIRST_REST_SECONDS if len(waiting) < before else rest_seconds * 2
                self._rest(stream, min(rest_seconds, LONGEST_REST_SECONDS) if waiting else 0.0)
            elif monotonic() >= self._sign_due:
                self._give_sign(stream)

    def close(self) -> None:
        """Leave the broker; what is not settled is delivered to the next one."""
        if self._stream is not None:
            self._stream.close()

    def noted(self, error: Exception) -> SourceError:
        """The error as people see it at the trigger."""
        known = SourceError(error.message, code=error.code) if isinstance(error, BrokerError) else refusal_of(error)
        told = redact_line(self._opened.mask(known.message)).replace("\x00", "\ufffd")[:LONGEST_ERROR]
        with connection.cursor() as cursor:
            sources.fail(cursor, self._held, message=told, code=known.code[:100])
        return SourceError(told, code=known.code, retry_after_seconds=known.retry_after_seconds)

    def _join(self) -> Stream:
        stored = self._held.cursor if isinstance(self._held.cursor, dict) else {}
        position = stored.get("position") if stored.get("origin") == self._origin else None
        joining = Joining(self._trigger, position, self._context.secret)
        connections.close_all()  # nothing is held while somebody far away takes their time
        return self._streaming.join(joining)

    def _rest(self, stream: Stream, seconds: float) -> None:
        """Wait for room, a second at a time."""
        until = monotonic() + seconds
        while not self._stop.is_set() and (left := until - monotonic()) > 0:
            stream.rest(min(WAIT_SECONDS, left))

    def _give_sign(self, stream: Stream) -> None:
        """Note that the source is there, and where it stands: also before the first message."""
        self._sign_due = monotonic() + SIGN_SECONDS
        with transaction.atomic(), connection.cursor() as cursor:
            self._lock(cursor)
            self._advance(cursor, stream, (), (), has_arrived=False)

    def _take(self, stream: Stream, messages: Sequence[Message]) -> Sequence[Message]:
        """Take messages and settle them; return those that have to wait for room."""
        items = [item_of(message, self._trigger.config, self._context.keep_file) for message in messages]
        try:
            return self._take_all(stream, messages, items)
        except (DatabaseError, InterfaceError, Lost, BrokerError):
            raise
        except Exception:
            log.exception("stream_batch_broke", trigger_id=str(self._trigger.id))
        waiting: list[Message] = []
        for message, item in zip(messages, items, strict=True):
            waiting += self._take_one(stream, message, item)
        return waiting

    def _take_one(self, stream: Stream, message: Message, item: Item) -> Sequence[Message]:
        """A message that breaks something here is refused: it must not hold up the others for ever."""
        try:
            return self._take_all(stream, [message], [item])
        except (DatabaseError, InterfaceError, Lost, BrokerError):
            raise
        except Exception:
            log.exception("stream_message_broke", trigger_id=str(self._trigger.id), key=message.key)
        said = "Something went wrong on our side; the log says what."
        return self._take_all(stream, [message], [replace(item, data=None, refused=said)])

    def _take_all(self, stream: Stream, messages: Sequence[Message], items: Sequence[Item]) -> Sequence[Message]:
        waiting = self._commit(stream, messages, items)
        reach("after_stream_commit")
        kept = {id(message) for message in waiting}
        stream.settle([message for message in messages if id(message) not in kept])
        reach("after_stream_settle")
        return waiting

    def _commit(self, stream: Stream, messages: Sequence[Message], items: Sequence[Item]) -> Sequence[Message]:
        with transaction.atomic(), connection.cursor() as cursor:
            heard = arrivals.listening(cursor, [self._trigger.id])
            if not heard or not heard[0].may_run:
                raise Lost
            self._lock(cursor)
            taken = arrivals.take(cursor, heard[0], items)
            waiting = _waiting(messages, taken)
            kept = {id(message) for message in waiting}
            done = [message for message in messages if id(message) not in kept]
            has_arrived = any(one.is_new and not one.waits for one in taken)
            if done:
                self._advance(cursor, stream, done, waiting, has_arrived=has_arrived)
            if waiting:
                reason = next(one.reason for one in taken if one.waits)
                sources.keep_waiting(cursor, self._held, waits_for=reason, has_arrived=has_arrived)
            reach("in_stream")
        self._count(taken)
        if any(one.is_new and one.run_uid for one in taken):
            bell.ring()
        return waiting

    def _lock(self, cursor: Any) -> None:
        if not sources.lock(cursor, self._held):
            raise Lost

    def _advance(
        self, cursor: Any, stream: Stream, done: Sequence[Message], waiting: Sequence[Message], *, has_arrived: bool
    ) -> None:
        position = {"origin": self._origin, "position": stream.cursor(done, waiting)}
        sources.advance(cursor, self._held, position=position, is_begun=True, has_arrived=has_arrived)

    def _count(self, taken: Iterable[Arrived]) -> None:
        for one in taken:
            outcome = "repeat" if not one.is_new else "waits" if one.waits else one.decision.name.lower()
            TAKEN.add(labels=(self._trigger.kind, outcome))


def _waiting(messages: Sequence[Message], taken: Iterable[Arrived]) -> Sequence[Message]:
    waits: Mapping[str, bool] = {one.key: one.waits for one in taken}
    return [message for message in messages if waits.get(arrivals.ledger_key(message.key), False)]
