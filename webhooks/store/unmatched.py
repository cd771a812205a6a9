"""Insert a request that nobody has an address for, and let the oldest ones go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import psycopg2

from webhooks.event_ids import new_event_id

INSERT = """
insert into webhooks_unmatchedrequest
  (id, reason, method, address, content_type, headers, body, size_bytes, remote_addr, omitted)
values (%(id)s, %(reason)s, %(method)s, %(address)s, %(content_type)s, %(headers)s::jsonb, %(body)s, %(size_bytes)s,
        %(remote_addr)s::inet, %(omitted)s)
"""
TRIM = """
delete from webhooks_unmatchedrequest where id in (
  select id from webhooks_unmatchedrequest order by received_at desc, id desc offset %s limit 100)
"""


def insert(cursor: Any, values: Mapping[str, Any], *, keep: int) -> None:
    """Store one; at most `keep` stay, but for those that others store at the same moment."""
    headers, body = orjson.dumps(values["headers"]).decode(), psycopg2.Binary(values["body"])
    cursor.execute(INSERT, {**values, "id": new_event_id(), "headers": headers, "body": body})
    cursor.execute(TRIM, (keep,))
