"""Runtime: all threads of one worker process, started together and stopped in order."""

from __future__ import annotations

import threading
import time

import structlog
from django.conf import settings

from automation.runtime.aftermath import Aftermath
from automation.runtime.claimer import Claimer
from automation.runtime.dispatcher import Dispatcher
from automation.runtime.heartbeat import Heartbeat
from automation.runtime.host import Host, run_limits
from automation.runtime.isolator import Isolator
from automation.runtime.postman import Postmen
from automation.runtime.pulse import Pulse
from automation.runtime.slots import Slots
from automation.runtime.step_threads import StepThreads
from automation.runtime.writer import Writer
from automation.store.commands import Commands
from automation.store.workers import Beat

log = structlog.get_logger(__name__)


class Runtime:
    """Claims and executes runs until stopped.

    `wake()` is all that a bell does. When Redis is away the heartbeat sees ready rows and wakes the process
    itself (degraded mode): slower start, no stop.
    """

    def __init__(self) -> None:
        self._aftermath = Aftermath(on_ready=self.wake)
        self.dispatcher = Dispatcher()
        self.writer = Writer(on_ended=self._aftermath.submit, on_ends=self.dispatcher.runs_ended)
        self._commands = Commands()
        self._is_stopping = threading.Event()
        self.slots = Slots(
            settings.BRAINOPS_WORKER_SLOTS, reserved=settings.BRAINOPS_INTERACTIVE_SLOTS, on_free=self.wake
        )
        self.heartbeat = Heartbeat(
            self.slots,
            every_seconds=settings.BRAINOPS_HEARTBEAT_SECONDS,
            dead_seconds=settings.BRAINOPS_DEAD_SECONDS,
            release=settings.BRAINOPS_RELEASE,
            on_beat=self._on_beat,
            on_lost=self._on_lost,
        )
        self.postmen = Postmen()
        self.pulse = Pulse(
            self.heartbeat,
            every_seconds=settings.BRAINOPS_TICK_SECONDS,
            dead_seconds=settings.BRAINOPS_DEAD_SECONDS,
            on_ready=self.wake,
            on_messages=self._call_messengers,
        )
        host = Host(
            writer=self.writer,
            may_affect=self.heartbeat.may_affect,
            is_stopping=self._is_stopping.is_set,
            on_parked=self.pulse.wake_in,
            on_ready=self.wake,
            commands=self._commands,
            threads=StepThreads(settings.BRAINOPS_STEP_THREADS),
            most_parallel=settings.BRAINOPS_RUN_PARALLEL,
            limits=run_limits(),
        )
        self.claimer = Claimer(self.slots, host)
        self.isolator = Isolator(self.writer, fence_seconds=self.heartbeat.fence_seconds)

    def start(self) -> None:
        """Start every thread; claiming begins after the first heartbeat."""
        runs = (self._aftermath, self.writer, self.claimer, self.isolator)
        threads = (*runs, self.dispatcher, self.heartbeat, self.pulse)
        self.postmen.start()
        for thread in threads:
            thread.start()

    def wake(self) -> None:
        """Look for ready runs."""
        self.claimer.kick()

    def stop(self, timeout_seconds: float) -> bool:
        """Warm stop: claim nothing more, end or hand back each run at its next step, commit, say goodbye.

        Returns False when some run was still in a step after the timeout: recovery gives it to another process.
        """
        deadline = time.monotonic() + timeout_seconds
        self._is_stopping.set()
        self.heartbeat.drain()
        self.claimer.stop(5)
        self.pulse.stop()
        self.dispatcher.stop()
        self.postmen.stop()
        is_empty = self.slots.stop(max(0.0, deadline - time.monotonic()))
        self.isolator.stop(max(0.0, deadline - time.monotonic()))
        self.writer.stop(max(1.0, deadline - time.monotonic()))
        self._aftermath.stop()
        self._commands.close()
        self.heartbeat.stop(is_clean=is_empty and not self.writer.is_alive())
        log.info("worker_stopped", is_clean=is_empty)
        return is_empty

    def _call_messengers(self) -> None:
        """Have told, delivered and sent what is due."""
        self.dispatcher.call_if_due()
        self.postmen.call()

    def _on_lost(self) -> None:
        """Declared dead: the runs are somebody else's now. First no further claim, then drop what is held."""
        self.claimer.worker_id = self.isolator.worker_id = None
        self.slots.lose_all()
        self.isolator.lose()

    def _on_beat(self, beat: Beat) -> None:
        self.claimer.is_paused = self.isolator.is_paused = beat.is_paused
        self.claimer.worker_id = self.isolator.worker_id = self.heartbeat.worker_id
        if beat.cancelled:
            self.slots.cancel(beat.cancelled)
            self.isolator.cancel(beat.cancelled)
        if beat.news:
            self.slots.tell(beat.news)
        if beat.has_ready:
            self.wake()
        if beat.has_suspects:
            self.isolator.kick()
