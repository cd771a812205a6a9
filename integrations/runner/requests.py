"""Turning an action's `Request` into what goes over the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlencode

from brainops.core import json_gate, tracing
from brainops.core.egress import http
from integrations.messages import NOTHING, Json, Request

IDEMPOTENCY_HEADER = "Idempotency-Key"
TRACE_HEADER = "traceparent"


def wire_request(
    request: Request,
    *,
    idempotency_key: str,
    total_seconds: float,
    is_cancelled: Callable[[], bool],
    bounds: tuple[frozenset[str], ...] = (),
) -> http.Request:
    """Write the URL, the body and the headers. Raises AppError when a value cannot be written as JSON."""
    body, content_type = _body(request)
    headers = dict(request.headers)
    if content_type and not _has(headers, "content-type"):
        headers["Content-Type"] = content_type
    if request.is_write and idempotency_key and not _has(headers, IDEMPOTENCY_HEADER):
        headers[IDEMPOTENCY_HEADER] = idempotency_key
    if (trace := tracing.outgoing_traceparent()) and not _has(headers, TRACE_HEADER):
        headers[TRACE_HEADER] = trace
    return http.Request(
        request.method,
        with_params(request.url, request.params),
        headers,
        body,
        total_seconds=total_seconds,
        read_seconds=total_seconds,  # some services think for long; the whole time bounds silence too
        max_bytes=http.MAX_BYTES if request.max_bytes is None else min(request.max_bytes, http.MAX_BYTES),
        max_redirects=request.max_redirects,
        is_cancelled=is_cancelled,
        bounds=bounds,
    )


def with_params(url: str, params: Mapping[str, Json]) -> str:
    """Add query parameters to the URL's own, before the fragment."""
    encoded = urlencode(list(_pairs(params)))
    if not encoded:
        return url
    base, hash_mark, fragment = url.partition("#")
    joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{joint}{encoded}{hash_mark}{fragment}"


def _body(request: Request) -> tuple[bytes, str]:
    if request.json is not NOTHING:
        return json_gate.encode(request.json), "application/json"
    if request.form is not None:
        return urlencode(list(_pairs(request.form))).encode(), "application/x-www-form-urlencoded"
    if request.content is not None:
        return request.content, "text/plain; charset=utf-8"
    return b"", ""


def _pairs(values: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Give names with texts: a list repeats its name, None leaves it out."""
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield name, _text(one)


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _has(headers: Mapping[str, str], name: str) -> bool:
    return any(written.lower() == name.lower() for written in headers)
