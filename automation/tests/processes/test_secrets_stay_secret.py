"""A planted secret goes through real web and worker processes, and then stands nowhere but at the service."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from automation.engine.status import RunStatus
from automation.models import Run
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Membership, Role, User, Workspace
from brainops.accounts.services import api_keys
from tests.echo import Echo, traces
from tests.live import Web, Workers, wait_until

CANARY = 'cAnArY/42+"sé=cret&é?'  # changed by every escape there is
PREFIX = "/api/v1/automation"


@pytest.fixture
def elsewhere() -> Iterator[Echo]:
    server = Echo(CANARY)
    yield server
    server.close()


@pytest.fixture
def service(elsewhere: Echo) -> Iterator[Echo]:
    server = Echo(CANARY, elsewhere=elsewhere.url)
    yield server
    server.close()


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "workers.log"


@pytest.fixture
def workers(transactional_db: None, said: Path) -> Iterator[Workers]:
    workers = Workers("127.0.0.1:*", said=said)
    yield workers
    workers.stop()


@pytest.fixture
def web(transactional_db: None) -> Iterator[Web]:
    web = Web("127.0.0.1:*")
    yield web
    web.stop()


@pytest.fixture
def owner(transactional_db: None, web: Web) -> Iterator[httpx.Client]:
    workspace = Workspace.objects.create(name="Acme", slug="acme")
    user = User.objects.create_user("owner@example.com", username="owner")
    Membership.objects.create(user=user, workspace=workspace, role=Role.OWNER)
    by = system_caller(workspace.id, "tests")
    key = api_keys.issue(user, workspace, name="tests", role=Role.OWNER, scopes=("*",), by=by)
    with httpx.Client(base_url=web.url + PREFIX, headers={"Authorization": f"Bearer {key.text}"}, timeout=60) as client:
        yield client


def ended(owner: httpx.Client, begun: httpx.Response) -> dict[str, Any]:
    """The run when it has come to its end."""
    page = f"/runs/{begun.json()['id']}"
    wait_until(lambda: owner.get(page).json()["finished_at"] is not None)
    run: dict[str, Any] = owner.get(page).json()
    return run


def sending(id_: str, path: str, service: Echo, **config: Any) -> dict[str, Any]:
    return {"id": id_, "uses": "http.request", "with": {"url": service.url + path, **config}, "on_error": "continue"}


def workflow(service: Echo) -> dict[str, Any]:
    bearer = {"Authorization": "Bearer {{ secrets.token }}"}
    steps = [
        sending("header", "/echo", service, headers=bearer),
        sending("query", "/echo", service, params={"key": "{{ secrets.token }}"}),
        sending("address", "/echo/{{ secrets.token|urlencode }}", service),
        sending("json", "/echo", service, method="POST", json={"deep": ["{{ secrets.token }}"]}),
        sending("form", "/echo", service, method="POST", form={"key": "{{ secrets.token }}"}),
        sending("basic", "/echo", service, headers={"Authorization": "Basic {{ ('u:' ~ secrets.token)|b64encode }}"}),
        sending("refused", "/refuse", service, headers=bearer),
        sending("chunks", "/chunks", service, headers=bearer),
        sending("base64", "/chunks", service, headers=bearer, response="base64"),
        sending("away", "/away", service, headers=bearer, follow_redirects=True),
        {**sending("each", "/echo", service, headers=bearer), "for_each": {"items": [1, 2]}},
        sending("later", "/echo", service),
        {
            "id": "tell",
            "uses": "log",
            "needs": ["header", "refused"],
            "with": {"message": "{{ steps.header.output }} {{ steps.refused.error }} {{ steps.refused.output }}"},
        },
    ]
    last = sending("last", "/refuse", service, headers=bearer) | {"needs": [step["id"] for step in steps]}
    return {"schema": 1, "steps": [*steps, {**last, "on_error": "fail"}]}


def test_a_secret_reaches_the_service_and_stands_nowhere_else(owner, workers, service, elsewhere, said):
    workers.start(2, BRAINOPS_LOG_LEVEL="DEBUG")
    answers = [owner.post("/secrets", json={"name": "token", "value": CANARY})]
    made = owner.post("/workflows", json={"name": "Sender", "definition": workflow(service)})
    assert made.status_code == 201, made.text
    page = f"/workflows/{made.json()['id']}"
    begun = owner.post(f"{page}/execute", json={})
    run = f"/runs/{begun.json()['id']}"
    assert ended(owner, begun)["status"] == "failed"
    assert len(service.heard) == 14

    answers += [made, begun, owner.get(run), owner.get("/secrets"), owner.get("/secrets/token"), owner.get("/runs")]
    answers += [owner.get(f"{run}/{part}") for part in ("steps", "effects", "logs", "children", "steps/each/items")]
    answers += [owner.post(f"{run}/retry/preview", json={}), owner.post(f"{page}/dry-run", json={"reads": "perform"})]
    answers += [
        owner.get(page),
        owner.get(f"{page}/versions"),
        owner.patch("/secrets/token", json={"description": "x"}),
    ]
    workers.stop()

    assert [answer.status_code for answer in answers if answer.status_code >= 400] == []
    sent = {one["path"].partition("?")[0]: one for one in reversed(service.heard)}
    assert sent["/refuse"]["headers"]["Authorization"].encode("latin-1").decode("latin-1") == f"Bearer {CANARY}"
    assert [one["headers"].get("Authorization") for one in elsewhere.heard] == [None]
    places = {f"answer {n}": answer.text for n, answer in enumerate(answers)}
    places |= dict(tables()) | dict(broker()) | dict(admin_pages(begun.json()["id"], made.json()["id"]))
    places["worker logs"] = said.read_text(encoding="utf-8")
    assert len(places["worker logs"]) > 100
    found = {(place, trace) for place, text in places.items() for trace in traces(CANARY) if trace in text}
    assert found == set()


def tables() -> Iterator[tuple[str, str]]:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'select t::text from "{table}" t')
            yield f"table {table}", "\n".join(row[0] for row in cursor.fetchall())


def broker() -> Iterator[tuple[str, str]]:
    """Every key of Redis with what it holds."""
    client = redis.Redis.from_url(django_settings.REDIS_URL, decode_responses=True)
    read = {"string": client.get, "list": lambda key: client.lrange(key, 0, -1), "set": client.smembers}
    read |= {"hash": client.hgetall, "zset": lambda key: client.zrange(key, 0, -1), "stream": client.xrange}
    for key in client.scan_iter():
        yield f"redis {key}", repr(read[client.type(key)](key)) if client.type(key) in read else ""


def admin_pages(run: str, workflow_id: str) -> Iterator[tuple[str, str]]:
    """What staff see of the run, the workflow, its secrets and the audit log."""
    user = User.objects.create_superuser("staff@example.com", username="staff")
    client = Client()
    client.force_login(user)
    pages = [
        reverse("admin:automation_run_page", args=[run]),
        reverse("admin:automation_run_changelist"),
        reverse("admin:automation_workflow_page", args=[workflow_id]),
        reverse("admin:automation_secret_changelist"),
        reverse("admin:audit_auditentry_changelist"),
    ]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        yield page, answer.content.decode()


def test_a_changed_secret_counts_for_the_next_run_on_every_worker(owner, workers, service):
    workers.start(2)
    owner.post("/secrets", json={"name": "token", "value": "first-canary"})
    made = owner.post("/workflows", json={"name": "Sender", "definition": one_step(service)}).json()
    for value in ("first-canary", "second-canary", "third-canary"):
        owner.patch("/secrets/token", json={"value": value})
        begun = [owner.post(f"/workflows/{made['id']}/execute", json={}).json()["id"] for _ in range(6)]
        wait_until(lambda begun=begun: all(owner.get(f"/runs/{id_}").json()["status"] == "succeeded" for id_ in begun))

    assert [one["headers"]["X-Key"] for one in service.heard] == [
        *["first-canary"] * 6,
        *["second-canary"] * 6,
        *["third-canary"] * 6,
    ]
    about = owner.get("/secrets/token").json()
    assert about["last_used_by"] == {"id": made["id"], "name": "Sender"}


def one_step(service: Echo, **config: Any) -> dict[str, Any]:
    headers = {"X-Key": "{{ secrets.token }}"}
    return {
        "schema": 1,
        "steps": [
            {"id": "a", "uses": "http.request", "with": {"url": f"{service.url}/ok", "headers": headers, **config}}
        ],
    }


@pytest.mark.parametrize(("path", "heard"), [("/echo", 0), ("/away", 1)])
def test_a_secret_bound_to_a_host_goes_to_no_other_one(owner, workers, service, elsewhere, path, heard):
    workers.start()
    bound_to = service.authority if heard else "api.example.com"
    owner.post("/secrets", json={"name": "token", "value": CANARY, "hosts": [bound_to]})
    definition = one_step(service, url=service.url + path, follow_redirects=True)
    made = owner.post("/workflows", json={"name": "Sender", "definition": definition}).json()

    run = ended(owner, owner.post(f"/workflows/{made['id']}/execute", json={}))

    target = elsewhere.authority if heard else service.authority
    assert (run["status"], run["error"]["type"]) == ("failed", "host_not_allowed")
    assert run["error"]["message"] == (
        f"GET failed: A secret of this request may be sent only to {bound_to}, not to {target}. Correct the address, or "
        "add the host to the secret."
    )
    assert (len(service.heard), len(elsewhere.heard)) == (heard, 0)


def test_the_key_is_changed_while_workers_send_secrets(owner, workers, service, settings):
    old = dict(settings.BRAINOPS_ENCRYPTION_KEYS)
    fresh = {"fresh": bytes(range(32))}
    workers.start(BRAINOPS_ENCRYPTION_KEYS=as_setting(fresh | old))  # started anew
    workers.start(BRAINOPS_ENCRYPTION_KEYS=as_setting(old | fresh))  # still writes with the old key
    owner.post("/secrets", json={"name": "token", "value": CANARY})
    made = owner.post("/workflows", json={"name": "Sender", "definition": one_step(service)}).json()
    begun = [owner.post(f"/workflows/{made['id']}/execute", json={}).json()["id"] for _ in range(10)]

    settings.BRAINOPS_ENCRYPTION_KEYS = fresh | old
    call_command("rotate_keys", stdout=StringIO())
    begun += [owner.post(f"/workflows/{made['id']}/execute", json={}).json()["id"] for _ in range(10)]

    wait_until(lambda: not Run.objects.exclude(status__gte=RunStatus.SUCCEEDED).exists())
    assert Run.objects.filter(uid__in=begun, status=RunStatus.SUCCEEDED).count() == 20
    assert [one["headers"]["X-Key"] for one in service.heard] == [CANARY] * 20
    settings.BRAINOPS_ENCRYPTION_KEYS, settings.BRAINOPS_RETIRED_KEYS = fresh, old
    call_command("rotate_keys", check=True, stdout=StringIO())


def as_setting(ring: dict[str, bytes]) -> str:
    return ",".join(f"{name}:{base64.urlsafe_b64encode(key).decode()}" for name, key in ring.items())
