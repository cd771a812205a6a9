"""Sending spans to a collector: OTLP's protobuf by POST, in batches, through the outbound door.

The operator named the collector in the settings, so its one address is open to this client and to nobody else:
workflows still need BRAINOPS_EGRESS_ALLOW. Format: https://opentelemetry.io/docs/specs/otlp/#otlphttp.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from django.conf import settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from brainops.core import logs
from brainops.core.egress.allow import parse_allow_list
from brainops.core.egress.client import Client
from brainops.core.egress.errors import EgressError
from brainops.core.egress.message import Request
from brainops.core.tracing import LOST, Attribute, Attributes, Span

EVERY_SECONDS = 2.0
MOST_KEPT = 4096  # spans in memory; later ones are dropped and counted
MOST_AT_ONCE = 512
TOTAL_SECONDS = 10.0

log = logs.get_logger(__name__)


class Outbox:
    """Takes spans from any thread and sends them from one of its own: tracing never holds work up."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], resource: Attributes) -> None:
        parts = urlsplit(endpoint)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._headers = {"Content-Type": "application/x-protobuf", **headers}
        self._resource = resource
        self._client = Client(parse_allow_list([f"{host}:{parts.port or {'http': 80, 'https': 443}[parts.scheme]}"]))
        self._spans: deque[Span] = deque()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def take(self, span: Span) -> None:
        """Keep a span until it is sent."""
        if len(self._spans) >= MOST_KEPT:
            LOST.add()
            return
        self._spans.append(span)

    def close(self) -> None:
        """Send what is left, then hang up."""
        self._is_over.set()
        self._thread.join(TOTAL_SECONDS + EVERY_SECONDS)
        self._client.pool.clear()

    def _run(self) -> None:
        while not self._is_over.wait(EVERY_SECONDS):
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while self._spans:
            batch = [self._spans.popleft() for _ in range(min(len(self._spans), MOST_AT_ONCE))]
            if why := self._send(encode(batch, self._resource)):
                LOST.add(len(batch))
                log.warning("spans_not_sent", spans=len(batch), why=why)
                return  # the others wait for the next time

    def _send(self, body: bytes) -> str:
        """Send one batch; why it was not taken, empty when it was."""
        request = Request("POST", self._url, self._headers, body, total_seconds=TOTAL_SECONDS, is_repeatable=True)
        try:
            status = self._client.send(request).status
        except EgressError as error:
            return error.message
        return "" if status < 300 else f"It answered {status}."


def encode(spans: Sequence[Span], resource: Attributes) -> bytes:
    """Spans as the body of an export request."""
    request = ExportTraceServiceRequest()
    about = request.resource_spans.add()
    about.resource.attributes.extend(_pairs(resource))
    scope = about.scope_spans.add()
    scope.scope.name = "brainops"
    scope.spans.extend(map(_encoded, spans))
    body: bytes = request.SerializeToString()
    return body


def _encoded(span: Span) -> trace_pb2.Span:
    errors = {"error.type": span.error} if span.error else {}
    failed = trace_pb2.Status.STATUS_CODE_ERROR
    return trace_pb2.Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Value(f"SPAN_KIND_{span.kind}"),
        start_time_unix_nano=span.started_ns,
        end_time_unix_nano=span.ended_ns,
        attributes=_pairs(span.attributes | errors),
        status=trace_pb2.Status(code=failed if span.error else trace_pb2.Status.STATUS_CODE_UNSET),
    )


def _pairs(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in attributes.items()]


def _value(value: Attribute) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)


_outbox: Outbox | None = None


def open_outbox() -> Callable[[Span], None]:
    """Open this process's outbox as the settings say; what takes its spans."""
    global _outbox  # noqa: PLW0603 - one per process
    named: dict[str, Attribute] = {
        "service.name": settings.BRAINOPS_OTEL_SERVICE,
        "service.version": settings.BRAINOPS_RELEASE,
        "process.pid": os.getpid(),
    }
    _outbox = Outbox(settings.BRAINOPS_OTEL_ENDPOINT, settings.BRAINOPS_OTEL_HEADERS, named)
    return _outbox.take


def close_outbox() -> None:
    """Send what is left, and close it."""
    global _outbox
    outbox, _outbox = _outbox, None
    if outbox is not None:
        outbox.close()
