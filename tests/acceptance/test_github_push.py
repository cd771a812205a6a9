"""The main job on real input: GitHub's published payloads, signed with its documented scheme by curl and openssl."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from automation.models import Run
from tests.live import wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl"),
]
CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "webhooks" / "payloads" / "github"

# the fields of a push event that GitHub documents and this workflow reads; used where the published payloads are absent
OWN_PUSH = {
    "ref": "refs/heads/main",
    "repository": {"full_name": "octo-org/hello", "default_branch": "main"},
    "pusher": {"name": "octocat"},
    "commits": [{"id": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "message": "Fix all the bugs"}],
    "compare": "https://github.com/octo-org/hello/compare/a...b",
}


def push_workflow(receiver_url: str, branch: str) -> dict:
    text = "{{ trigger.body.pusher.name }} pushed {{ trigger.body.commits | length }} commits"
    return {
        "schema": 1,
        "steps": [
            {"id": "main", "uses": "condition", "with": {"when": f"{{{{ trigger.body.ref == '{branch}' }}}}"}},
            {
                "id": "note",
                "uses": "transform",
                "needs": ["main.true"],
                "with": {
                    "set": {
                        "id": "{{ trigger.delivery }}",
                        "repo": "{{ trigger.body.repository.full_name }}",
                        "text": text,
                    }
                },
            },
            {
                "id": "tell",
                "uses": "http.request",
                "needs": ["note"],
                "with": {"method": "POST", "url": receiver_url, "json": "{{ steps.note.output }}"},
            },
        ],
    }


@pytest.fixture
def push(tmp_path) -> Path:
    """A push delivery's bytes, as a file for curl: GitHub's own example where it is at hand."""
    published = CASES / "push__1.payload.json"
    if published.exists():
        return published
    own = tmp_path / "push.json"
    own.write_text(json.dumps(OWN_PUSH))
    return own


def deliver(
    hook, body: Path, delivery: str, *, secret: str | None = None, event: str = "push"
) -> tuple[int, dict, str]:
    """Send a file with curl, signed by openssl; returns status, answer and the Location header."""
    key = hook.secret if secret is None else secret
    signed = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", key, "-r", str(body)], check=True, capture_output=True, text=True
    )
    signature = signed.stdout.split()[0]
    answer = subprocess.run(
        [
            *("curl", "-sS", "-X", "POST", hook.address + hook.path, "--data-binary", f"@{body}"),
            *("-H", "Content-Type: application/json", "-H", f"X-GitHub-Event: {event}"),
            *("-H", f"X-GitHub-Delivery: {delivery}", "-H", f"X-Hub-Signature-256: sha256={signature}"),
            *("-w", "\n%{http_code} %header{location}"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    text, _, last = answer.stdout.rpartition("\n")
    status, _, location = last.partition(" ")
    return int(status), json.loads(text), location


def test_a_push_on_the_branch_is_told_and_seen(push, product, workers, receiver):
    workers.start(2)
    branch = json.loads(push.read_text())["ref"]
    hook = product.hook(product.workflow("Push", push_workflow(receiver.url, branch)))
    delivery = str(uuid4())

    status, body, location = deliver(hook, push, delivery)

    assert status == 202
    wait_until(lambda: product.call("GET", f"/runs/{body['run']}")["status"] == "succeeded")
    run = product.call("GET", f"/runs/{body['run']}")
    assert [(step["path"], step["status"]) for step in run["steps"]] == [
        ("main", "succeeded"),
        ("note", "succeeded"),
        ("tell", "succeeded"),
    ]
    assert {key: sum(seen.values()) for key, seen in receiver.keys.items()} == {delivery: 1}
    assert location.endswith(f"/runs/{body['run']}")
    assert "Push" in admin_page(f"/admin/automation/run/{Run.objects.get().pk}/change/")


def test_a_push_on_another_branch_is_skipped_with_the_reason(push, product, workers, receiver):
    workers.start(1)
    hook = product.hook(product.workflow("Push", push_workflow(receiver.url, "refs/heads/elsewhere")))

    _, body, _ = deliver(hook, push, str(uuid4()))

    wait_until(lambda: product.call("GET", f"/runs/{body['run']}")["status"] == "succeeded")
    steps = {step["path"]: step["status"] for step in product.call("GET", f"/runs/{body['run']}")["steps"]}
    assert steps == {"main": "succeeded", "note": "skipped", "tell": "skipped"}
    assert receiver.keys == {}


def test_the_same_delivery_twice_runs_once(push, product, workers, receiver):
    workers.start(1)
    hook = product.hook(product.workflow("Push", push_workflow(receiver.url, json.loads(push.read_text())["ref"])))
    delivery = str(uuid4())

    first, second = deliver(hook, push, delivery), deliver(hook, push, delivery)

    assert (first[0], second[0]) == (202, 200)
    assert first[1]["run"] == second[1]["run"]
    assert Run.objects.count() == 1


def test_a_wrong_signature_is_refused_and_kept_with_the_reason(push, product, receiver):
    hook = product.hook(product.workflow("Push", push_workflow(receiver.url, "refs/heads/main")))

    status, body, _ = deliver(hook, push, str(uuid4()), secret="not-the-secret")

    assert status == 401
    assert "signature" in body["detail"].lower()
    events = product.call("GET", hook.path.removeprefix("/api/v1/automation").removesuffix("/receive") + "/events")
    assert [event["verdict"] for event in events["results"]] == ["rejected"]
    assert Run.objects.count() == 0


def test_a_ping_is_answered_without_a_run(push, product, receiver):
    hook = product.hook(product.workflow("Push", push_workflow(receiver.url, "refs/heads/main")))

    status, body, _ = deliver(hook, push, str(uuid4()), event="ping")

    assert (status, body["run"]) == (200, None)
    assert Run.objects.count() == 0


def admin_page(path: str) -> str:
    """A page of the admin as a superuser sees it."""
    user = get_user_model().objects.create_superuser(username="root", email="root@example.com", password="x" * 20)
    browser = Client(headers={"host": "localhost"})
    browser.force_login(user)
    answer = browser.get(path, follow=True)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()
