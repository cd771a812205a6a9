"""The columns of an event that all intake statements write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import psycopg2

COLUMNS = """
id, workspace_id, endpoint_id, verdict, status, reason, detail, delivery_id, event_type, content_type, method, path,
headers, query, body, size_bytes, remote_addr, omitted, is_test, is_verified, received_at"""

VALUES = """
%(event_id)s, %(workspace_id)s, %(endpoint_id)s, %(verdict)s, %(status)s, %(reason)s, %(detail)s, %(delivery_id)s,
%(event_type)s, %(content_type)s, %(method)s, %(path)s, %(headers)s::jsonb, %(query)s::jsonb, %(body)s, %(size_bytes)s,
%(remote_addr)s::inet, %(omitted)s, %(is_test)s, %(is_verified)s, statement_timestamp()"""

# SQL types of the parameters, for prepared statements.
STATE_TYPES = {
    **dict.fromkeys(("endpoint_id", "workspace_id", "version_id"), "uuid"),
    **dict.fromkeys(("trigger_is_active", "workflow_is_active"), "bool"),
    "revision": "integer",
}
EVENT_TYPES = {
    "event_id": "uuid",
    **dict.fromkeys(("verdict", "status"), "smallint"),
    **dict.fromkeys(("reason", "detail", "delivery_id", "event_type", "content_type"), "text"),
    **dict.fromkeys(("method", "path", "headers", "query", "remote_addr"), "text"),
    "body": "bytea",
    **dict.fromkeys(("size_bytes", "omitted"), "integer"),
    **dict.fromkeys(("is_test", "is_verified"), "bool"),
}


@dataclass(frozen=True, slots=True)
class State:
    """What was known when the request was judged (see `current`)."""

    endpoint_id: UUID
    workspace_id: UUID
    revision: int
    trigger_is_active: bool
    workflow_is_active: bool
    version_id: UUID | None

    def parameters(self) -> dict[str, Any]:
        """The named parameters of the guard."""
        return {
            "endpoint_id": self.endpoint_id,
            "workspace_id": self.workspace_id,
            "revision": self.revision,
            "trigger_is_active": self.trigger_is_active,
            "workflow_is_active": self.workflow_is_active,
            "version_id": self.version_id,
        }


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to store. `headers` and `query` are redacted already; `body` is what is kept of it."""

    id: UUID
    verdict: int
    status: int
    delivery_id: str | None
    headers: dict[str, Any]
    query: dict[str, Any]
    body: bytes
    size_bytes: int
    remote_addr: str | None
    reason: str = ""
    detail: str = ""
    event_type: str = ""
    content_type: str = ""
    method: str = "POST"
    path: str = ""
    omitted: int = 0
    is_test: bool = False
    is_verified: bool = False

    def parameters(self) -> dict[str, Any]:
        """The named parameters of VALUES."""
        return {
            "event_id": self.id,
            "verdict": self.verdict,
            "status": self.status,
            "reason": self.reason,
            "detail": self.detail,
            "delivery_id": self.delivery_id,
            "event_type": self.event_type,
            "content_type": self.content_type,
            "method": self.method,
            "path": self.path,
            "headers": orjson.dumps(self.headers).decode(),
            "query": orjson.dumps(self.query).decode(),
            "body": psycopg2.Binary(self.body),
            "size_bytes": self.size_bytes,
            "remote_addr": self.remote_addr,
            "omitted": self.omitted,
            "is_test": self.is_test,
            "is_verified": self.is_verified,
        }
