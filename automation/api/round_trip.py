"""A client may send back what it was shown: members it cannot set are fine as long as they are unchanged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from automation.services.documents import canonical
from automation.services.workflow_drafts import FIELDS
from brainops.core.errors import InvalidInput, Problem


def without_sent_back(body: Any, shown: Mapping[str, Any], *, settable: Collection[str] = FIELDS) -> Any:
    """The body without read-only members. Raises InvalidInput that names each one which was changed."""
    if not isinstance(body, dict):
        return body
    now = orjson.loads(orjson.dumps(shown, option=orjson.OPT_UTC_Z))
    read_only = [name for name in body if name in now and name not in settable]
    changed = [name for name in read_only if canonical(body[name]) != canonical(now[name])]
    if changed:
        raise InvalidInput.from_problems(
            Problem("read_only", f'"{name}" cannot be set: it is {now[name]!r}. Leave it out.', f"/{name}")
            for name in changed
        )
    return {name: value for name, value in body.items() if name not in read_only}
