"""Statuses of runs and steps: small integers in the database, words in the API."""

from __future__ import annotations

from enum import IntEnum


class RunStatus(IntEnum):
    """Where a run stands. Values from 50 on are final and never change (database constraint)."""

    QUEUED = 10  # ready to be claimed
    BLOCKED = 15  # waits for a concurrency limit
    SUSPECT = 18  # its process died twice: runs next alone in a child process
    RUNNING = 20  # claimed by one worker process
    WAITING = 30  # parked: a timer, an approval, a signal, a child, a retry
    SUCCEEDED = 50
    FAILED = 51
    CANCELLED = 52
    TIMED_OUT = 53

    @property
    def is_final(self) -> bool:
        """True when the run can never change again."""
        return self >= FIRST_FINAL

    @property
    def word(self) -> str:
        """The status as the API says it: `timed_out`, `succeeded`."""
        return self.name.lower()


class StepStatus(IntEnum):
    """Where a step stands. A step without a row has not started. Values from 50 on are final."""

    STARTED = 5  # written ahead of an at-most-once effect
    OPEN = 8  # a container, or a batch of a loop, whose steps are under way
    WAITING = 10  # parked until `until`
    RETRYING = 11  # the last attempt failed; the next one starts at `until`
    SUCCEEDED = 50
    FAILED = 51
    SKIPPED = 52
    UNKNOWN = 53  # started, then its process died: nobody knows whether the effect happened
    CANCELLED = 54

    @property
    def is_final(self) -> bool:
        """True when the stored result can never change again."""
        return self >= FIRST_FINAL

    @property
    def word(self) -> str:
        """The status as the API says it."""
        return self.name.lower()


class WaitKind(IntEnum):
    """What a waiting run waits for."""

    TIMER = 1
    RETRY = 2
    APPROVAL = 3
    SIGNAL = 4
    CHILD = 5

    @property
    def word(self) -> str:
        """The reason as the API says it."""
        return self.name.lower()


FIRST_FINAL = 50
