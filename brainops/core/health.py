"""Is the installation fit to serve? One word for everybody, the parts for staff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from brainops.core.registry import Registry

_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Component:
    """One part. `is_needed`: without it nothing is accepted; any other part missing only makes things slower."""

    name: str
    is_up: bool
    is_needed: bool = False
    note: str = ""


# Parts that higher rooms know about, such as workers and the tick.
components: Registry[Callable[[], Component]] = Registry("health component")


def database() -> Component:
    """PostgreSQL answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except (DatabaseError, InterfaceError) as error:
        return Component("database", is_up=False, is_needed=True, note=type(error).__name__)
    return Component("database", is_up=True, is_needed=True)


def broker() -> Component:
    """Redis answers a ping. Without it accepted runs start up to two seconds later."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )
    try:
        client.ping()
    except redis.RedisError as error:
        return Component("broker", is_up=False, note=type(error).__name__)
    finally:
        client.close()
    return Component("broker", is_up=True)


def report() -> dict[str, Any]:
    """The state of every part, for staff."""
    parts = [database(), broker()]
    if parts[0].is_up:  # the others read the database
        parts += [describe() for describe in components.values()]
    down = [part for part in parts if not part.is_up]
    word = "ok" if not down else "down" if any(part.is_needed for part in down) else "degraded"
    return {"status": word, "components": [asdict(part) for part in parts]}
