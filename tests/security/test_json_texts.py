"""What is no JSON, or cannot be stored, is refused as 400 at every door that keeps a body; what is JSON is kept as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest

from automation.models import Run, Workflow
from brainops.core.ratelimit.limiter import limiter
from tests.security.conftest import Caller
from tests.security.json_texts import JSON, NO_JSON, NOT_STORABLE
from tests.security.things import Things
from webhooks.tests import make as webhook_rows
from webhooks.tests.make import Sender

FLOW = {
    "name": "Hello",
    "definition": {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "hello"}}]},
    "meta_data": {},
}
REFUSED = {**NO_JSON, **NOT_STORABLE}
PREFIX = "/api/v1/automation"
Send = Callable[[bytes], Any]


def within(text: bytes) -> bytes:
    """A workflow that says the text where anything may be said."""
    return orjson.dumps(FLOW).replace(b'"meta_data":{}', b'"meta_data":{"it":' + text + b"}")


def doors(owner: Caller, things: Things) -> dict[str, Send]:
    """Each door that keeps what it is sent: whole, and as a part of something that is right."""

    def sent(method: str, path: str, *, inside: bool) -> Send:
        def send(text: bytes) -> Any:
            body = within(text) if inside else text
            return owner._client.generic(method, f"{PREFIX}/{path}", body, "application/json")

        return send

    sender = Sender(webhook_rows.endpoint(things.workflow))
    return {
        "POST workflows": sent("POST", "workflows", inside=False),
        "POST workflows, inside": sent("POST", "workflows", inside=True),
        "PUT workflows, inside": sent("PUT", f"workflows/{things.workflow.id}", inside=True),
        "POST workflows/import": sent("POST", "workflows/import", inside=False),
        "PUT state": sent("PUT", "state/kept", inside=False),
        "POST runs": sent("POST", f"workflows/{things.workflow.id}/execute", inside=False),
        "webhook": lambda text: sender.send(text, content_type="application/json"),
    }


def answers(send: Send, texts: Mapping[str, bytes]) -> dict[str, int]:
    found = {}
    for name, text in texts.items():
        limiter.start_anew()
        found[name] = send(text).status_code
    return found


@pytest.mark.parametrize("door", ["POST workflows", "POST workflows/import", "PUT state", "POST runs", "webhook"])
def test_what_is_no_json_or_cannot_be_stored_is_refused(door: str, owner: Caller, things: Things):
    send = doors(owner, things)[door]
    workflows = Workflow.objects.count()

    found = answers(send, REFUSED)

    assert {name: status for name, status in found.items() if status != 400} == {}
    assert (Workflow.objects.count(), Run.objects.count()) == (workflows, 0)


@pytest.mark.parametrize("door", ["POST workflows, inside", "PUT workflows, inside"])
def test_it_is_refused_inside_of_something_right_too(door: str, owner: Caller, things: Things):
    send = doors(owner, things)[door]
    # these begin or end the whole body, or close what stands around them
    whole = {"array_comma_after_close", "single_space"}

    found = answers(send, {name: text for name, text in REFUSED.items() if name not in whole})

    assert {name: status for name, status in found.items() if status != 400} == {}
    assert not Workflow.objects.filter(meta_data__has_key="it").exists()


@pytest.mark.parametrize("name", JSON)
def test_what_is_json_is_kept_as_it_is(name: str, owner: Caller, things: Things):
    send = doors(owner, things)

    made, hooked = send["POST workflows, inside"](JSON[name]), send["webhook"](JSON[name])

    assert (made.status_code, hooked.status_code) == (201, 202), (made.content, hooked.content)
    kept = owner.call("get", f"workflows/{made.json()['id']}").json()
    assert kept["meta_data"]["it"] == json.loads(JSON[name])
