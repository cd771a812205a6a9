"""Traces in OpenTelemetry's form, where BRAINOPS_OTEL_ENDPOINT is set: request, run and steps, across processes.

Off, every function here returns at once. Spans hold ids, names and statuses, never inputs, outputs or headers. They are
sent by `core.otlp`. The SDK is left out on purpose: redis-py would import it in every process, for 15 MB and 0.1 s.
Trace context: https://www.w3.org/TR/trace-context/.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.conf import settings

from brainops.core.metrics import Counter

LOST = Counter("brainops_spans_lost_total", "Spans that the collector did not take.")

Attribute = str | int | bool
Attributes = Mapping[str, Attribute]

SERVER, CONSUMER, INTERNAL = "SERVER", "CONSUMER", "INTERNAL"  # kinds of spans
# version 00, trace id, parent id, flags; ids of zeros only are void
TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
_SAMPLED_OF = 1 << 64


@dataclass(slots=True)
class Span:
    """One piece of work. Ids are bytes, instants nanoseconds since the epoch; `error` is a code, never a value."""

    name: str
    kind: str
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    is_kept: bool
    started_ns: int
    ended_ns: int = 0
    error: str = ""
    attributes: dict[str, Attribute] = field(default_factory=dict)

    @property
    def traceparent(self) -> str:
        """Its context as the header carries it."""
        return f"00-{self.trace_id.hex()}-{self.span_id.hex()}-{int(self.is_kept):02x}"


_current: ContextVar[Span | None] = ContextVar("span", default=None)
_give: Callable[[Span], None] | None = None  # takes each span that ended; None while tracing is off


def start() -> None:
    """Begin to trace in this process, when the settings say so. Once, when it starts to serve."""
    global _give  # noqa: PLW0603 - one per process
    if settings.BRAINOPS_OTEL_ENDPOINT and _give is None:
        from brainops.core import otlp  # noqa: PLC0415 - protobuf is loaded only where it is used

        _give = otlp.open_outbox()


def stop() -> None:
    """Send what is left, and trace no more."""
    global _give  # noqa: PLW0603 - one per process
    if _give is not None:
        from brainops.core import otlp  # noqa: PLC0415 - loaded only where it is used

        _give = None
        otlp.close_outbox()


def is_on() -> bool:
    """True when this process traces."""
    return _give is not None


@contextmanager
def span(name: str, kind: str, attributes: Attributes, *, parent: str = "") -> Iterator[Span | None]:
    """A span around what this thread does; None while tracing is off.

    `parent` is a traceparent; without a well-formed one it is the thread's own span, if any.
    """
    give = _give
    if give is None:
        yield None
        return
    made = _new(name, kind, attributes, parent)
    token = _current.set(made)
    try:
        yield made
    except BaseException as error:
        made.error = type(error).__name__
        raise
    finally:
        _current.reset(token)
        made.ended_ns = time.time_ns()
        if made.is_kept:
            give(made)


def traceparent() -> str:
    """The context of this thread's span, to be kept or sent on; empty without one."""
    current = _current.get()
    return current.traceparent if current is not None else ""


def outgoing_traceparent() -> str:
    """What requests of workflows carry, where the operator asked for it; else empty."""
    return traceparent() if settings.BRAINOPS_OTEL_PROPAGATE else ""


def _new(name: str, kind: str, attributes: Attributes, parent: str) -> Span:
    match, own = TRACEPARENT.fullmatch(parent), _current.get()
    if match is not None:
        trace_id, parent_id = bytes.fromhex(match[1]), bytes.fromhex(match[2])
    elif own is not None:
        trace_id, parent_id = own.trace_id, own.span_id
    else:
        trace_id, parent_id = os.urandom(16), b""
    # by the trace's id alone: every process decides alike, and no caller can ask for more than the ratio
    is_kept = int.from_bytes(trace_id[8:]) < settings.BRAINOPS_OTEL_RATIO * _SAMPLED_OF
    return Span(name, kind, trace_id, os.urandom(8), parent_id, is_kept, time.time_ns(), attributes=dict(attributes))
