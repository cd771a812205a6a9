"""Replaying a recorded exchange against an action, without a network."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

from integrations.contract import ActionCall, Failure
from integrations.messages import Response

CONNECTORS = Path(__file__).resolve().parents[1] / "connectors"
RECEIVED_AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def fixtures():
    """List every recorded exchange of every connector as (connector, name, content)."""
    return [
        (path.parents[1].name, path.stem, json.loads(path.read_text()))
        for path in sorted(CONNECTORS.glob("*/fixtures/*.json"))
    ]


def replay(action, fixture):
    """Run the action on the fixture's config; give its outcome and the requests it asked for."""
    steps = action.run(ActionCall(fixture["config"]))
    requests = []
    try:
        request = next(steps)
        for exchange in fixture["exchanges"]:
            requests.append(request)
            request = steps.send(_response(exchange["response"], request.url))
    except StopIteration as end:
        return end.value, requests
    raise AssertionError(f"The action asks for more than the fixture holds: {request}")


def written(request):
    """Write a request down as fixtures do: only what differs from the default."""
    default = type(request)(request.method, request.url)
    shown = {name: getattr(request, name) for name in request.__slots__}
    return {
        name: value for name, value in shown.items() if value != getattr(default, name) or name in ("method", "url")
    }


def failure_written(failure: Failure):
    """Write a failure down as fixtures do."""
    names = ("type", "message", "error_class", "retry_after_seconds", "details", "is_outcome_unknown")
    return {name: getattr(failure, name) for name in names}


def _response(recorded, url):
    if "json" in recorded:
        body = json.dumps(recorded["json"]).encode()
    elif "base64" in recorded:
        body = base64.b64decode(recorded["base64"])
    else:
        body = recorded["text"].encode()
    return Response(recorded["status"], RECEIVED_AT, recorded["headers"], body, url)
