"""Scenario S1, its first half: pushes of GitHub become messages to a chat that takes five seconds for each.

What GitHub sends (a push to main, to another branch, a tag, a deleted branch, a ping, tampered, unsigned, twice) goes to
the running product; the chat is a recorder.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from automation.models import Run
from tests.acceptance.test_github_push import CASES, OWN_PUSH
from tests.live import wait_until
from webhooks.models import EventVerdict, WebhookEvent

pytestmark = pytest.mark.processes

CHAT_SECONDS = 5.0
PUSHES = 10  # to main, one after the other
TEXT = (
    "{{ trigger.body.pusher.name }} pushed {{ trigger.body.commits | length }} commits to "
    "{{ trigger.body.repository.full_name }}: {{ trigger.body.compare }}"
)


class Chat:
    """A chat that notes when each message came, and answers five seconds later."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        chat = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                chat.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                time.sleep(CHAT_SECONDS)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def handle(self) -> None:
                with suppress(ConnectionError):
                    super().handle()

            def log_message(self, *_arguments: Any) -> None:
                """Nothing to say."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/chat.postMessage"
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def chat(workers):
    made = Chat()
    workers.allow(made.address)
    yield made
    made.close()


def push_to_chat(url: str) -> dict[str, Any]:
    is_main = "{{ trigger.body.ref == 'refs/heads/main' and not trigger.body.deleted }}"
    message = {"channel": "#code", "text": TEXT}
    return {
        "schema": 1,
        "steps": [
            {"id": "main", "uses": "condition", "with": {"when": is_main}},
            {
                "id": "tell",
                "uses": "http.request",
                "needs": ["main.true"],
                "with": {"method": "POST", "url": url, "json": message},
            },
        ],
    }


def published(name: str) -> dict[str, Any]:
    """GitHub's own example where it is at hand."""
    path: Path = CASES / name
    return json.loads(path.read_text()) if path.exists() else dict(OWN_PUSH)


def push(**changes: Any) -> bytes:
    """A push with commits to main, or what the changes make of it."""
    body = published("push__1.payload.json")
    commits = [{"id": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "message": "Fix all the bugs"}]
    return json.dumps({**body, "ref": "refs/heads/main", "deleted": False, "commits": commits, **changes}).encode()


def send(
    hook: Any, body: bytes, delivery: str, *, event: str = "push", signed: bytes | None = None
) -> tuple[int, float]:
    """Deliver as GitHub does; the status, and the seconds until it was there. `signed` are other bytes that were signed."""
    lines = hook.headers(body if signed is None else signed, delivery).strip().split("\r\n")
    headers = {**dict(line.split(": ", 1) for line in lines), "X-GitHub-Event": event}
    if signed == b"":
        del headers["X-Hub-Signature-256"]
    request = Request(hook.address + hook.path, body, {**headers, "Content-Type": "application/json"})
    began = time.monotonic()
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, time.monotonic() - began
    except HTTPError as error:
        return error.code, time.monotonic() - began


def test_each_push_to_main_is_told_once_and_nothing_else_is(product, workers, chat):
    workers.start(2)
    hook = product.hook(product.workflow("Push to chat", push_to_chat(chat.url)))

    pushes = [send(hook, push(), f"main-{number}") for number in range(PUSHES)]
    repeated = send(hook, push(), "main-0")
    others = [
        send(hook, push(ref="refs/heads/topic"), "topic"),
        send(hook, push(ref="refs/tags/v1.0.0", commits=[]), "tag"),
        send(hook, push(deleted=True, commits=[]), "deleted"),
        send(hook, json.dumps({"zen": "Keep it logically awesome.", "hook_id": 1}).encode(), "ping", event="ping"),
    ]
    forged = [
        send(hook, push(pusher={"name": "mallory"}), "tampered", signed=push()),
        send(hook, push(), "unsigned", signed=b""),
    ]
    wait_until(lambda: not Run.objects.filter(finished_at=None).exists(), seconds=90)

    body = json.loads(push())
    text = f"{body['pusher']['name']} pushed 1 commits to {body['repository']['full_name']}: {body['compare']}"
    assert [status for status, _ in pushes] == [202] * PUSHES
    assert [status for status, _ in (repeated, *others)] == [200, 202, 202, 202, 200]
    assert [status for status, _ in forged] == [401, 401]
    assert chat.messages == [{"channel": "#code", "text": text}] * PUSHES
    assert Run.objects.count() == PUSHES + 3
    # nobody waited for the chat: it takes longer for one message than all answers together
    assert max(seconds for _, seconds in pushes) < CHAT_SECONDS
    assert dict(WebhookEvent.objects.filter(verdict=EventVerdict.REJECTED).values_list("delivery_id", "reason")) == {
        "tampered": "signature_wrong",
        "unsigned": "signature_missing",
    }


def test_twenty_copies_at_once_are_told_once(product, workers, chat):
    workers.start(1)
    hook = product.hook(product.workflow("Push to chat", push_to_chat(chat.url)))

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: send(hook, push(), "copied"), range(20)))
    wait_until(lambda: not Run.objects.filter(finished_at=None).exists() and chat.messages, seconds=90)

    assert sorted(status for status, _ in answers) == [*[200] * 19, 202]
    assert (len(chat.messages), Run.objects.count()) == (1, 1)
    assert WebhookEvent.objects.get().duplicates == 19
