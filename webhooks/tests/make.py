"""What the tests of webhooks are made of: a workspace with an endpoint, and senders that sign."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.test import Client

from automation.models import Trigger, Workflow, WorkflowVersion
from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role, User, Workspace
from brainops.accounts.services import api_keys
from brainops.core import clock
from webhooks.models import WebhookEndpoint
from webhooks.signatures import all_schemes
from webhooks.signatures.contract import Draft

ROOT = "/api/v1/automation/webhooks"
SECRET = "a-secret-of-the-tests-0123456789"
STANDARD_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
DEFINITION = {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "hello"}}]}
_numbers = itertools.count(1)


def person(workspace: Workspace | None = None, role: Role = Role.OWNER) -> User:
    """A user, member of `workspace` when one is given."""
    number = next(_numbers)
    user = User.objects.create_user(f"person{number}@example.com", username=f"person{number}")
    if workspace:
        Membership.objects.create(user=user, workspace=workspace, role=role)
    return user


def workspace() -> Workspace:
    """A new workspace without members."""
    number = next(_numbers)
    return Workspace.objects.create(name=f"Workspace {number}", slug=f"workspace-{number}")


def workflow(home: Workspace | None = None, definition: Any = None, **fields: Any) -> Workflow:
    """A workflow with its first version."""
    definition = definition or DEFINITION
    home = home or workspace()
    made = Workflow.objects.create(workspace=home, name="Orders", definition=definition, **fields)
    made.current_version = version_of(made, definition)
    made.save()
    return made


def caller(user: User, home: Workspace) -> Caller:
    """The user as services see one, with the role of the membership."""
    role = Role(Membership.objects.get(user=user, workspace=home).role)
    return Caller(user_id=user.id, label=user.email, via="token", workspace_id=home.id, role=role)


def api(user: User, home: Workspace, role: Role = Role.OWNER) -> Client:
    """A client that calls the API with a key of the user."""
    key = api_keys.issue(user, home, name="tests", role=role, scopes=["*"], by=caller(user, home))
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {key.text}"})


def version_of(made: Workflow, definition: Any, ordinal: int = 1) -> WorkflowVersion:
    """A version of a workflow."""
    return WorkflowVersion.objects.create(
        workspace=made.workspace,
        workflow=made,
        ordinal=ordinal,
        number=f"1.0.{ordinal - 1}",
        name=made.name,
        definition=definition,
        checksum="0" * 64,
    )


def endpoint(
    made: Workflow | None = None, *, scheme: str = "github", inputs: Any = None, config: Any = None, **fields: Any
) -> WebhookEndpoint:
    """An endpoint with its trigger."""
    made = made or workflow()
    trigger = Trigger.objects.create(
        workspace=made.workspace, workflow=made, kind="webhook", inputs=inputs or {}, config=config or {}
    )
    secrets = {"github": SECRET, "standard": STANDARD_SECRET}
    values = {"secret": secrets.get(scheme), "max_body_bytes": 1 << 20, **fields}
    return WebhookEndpoint.objects.create(workspace=made.workspace, trigger=trigger, scheme=scheme, **values)


def call(client: Client, method: str, path: str, body: Any = None) -> Any:
    """Call the API with a JSON body."""
    return getattr(client, method)(path, {} if body is None else body, content_type="application/json")


@dataclass
class Sender:
    """Sends deliveries to an endpoint, signed as its scheme asks."""

    endpoint: WebhookEndpoint
    secret: str = ""
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def send(
        self, body: Any = None, *, delivery: str = "", event: str = "push", query: str = "", **options: Any
    ) -> Any:
        """POST a signed delivery; a body that is no bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = self.signature(raw, delivery or f"delivery-{next(_numbers)}", event)
        return self.post(raw, headers | options.pop("headers", {}), query=query, **options)

    def signature(self, raw: bytes, delivery: str, event: str = "push") -> dict[str, str]:
        """The headers that prove `raw`."""
        scheme = all_schemes()[self.endpoint.scheme]
        secret, now = self.secret or self.endpoint.secret or "", clock.now().timestamp()
        url = str(self.endpoint.options.get("url") or self.endpoint.url)
        return scheme.sign(Draft(secret, raw, delivery, event, now, url, self.endpoint.options))

    def post(
        self,
        raw: bytes,
        headers: dict[str, str],
        *,
        query: str = "",
        content_type: str = "application/json",
        method: str = "POST",
        behind: str = "",
        **meta: Any,
    ) -> Any:
        """POST bytes with just these headers, `behind` the address when that is said."""
        path = self.endpoint.path + behind + (f"?{query}" if query else "")
        # not client.post(): it would re-encode the bytes for the content type's charset
        return self.client.generic(method, path, raw, content_type, headers=headers, **meta)
