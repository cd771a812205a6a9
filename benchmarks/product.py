"""The product as a stranger sees it: an address and an API key."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

API = "/api/v1/automation"


@dataclass(frozen=True)
class Hook:
    """A webhook endpoint to send to."""

    address: str
    path: str
    secret: str

    def headers(self, body: bytes, delivery: str) -> str:
        """GitHub's documented signature headers of one delivery."""
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return f"X-Hub-Signature-256: sha256={digest}\r\nX-GitHub-Delivery: {delivery}\r\nX-GitHub-Event: push\r\n"


@dataclass(frozen=True)
class Product:
    """One running installation."""

    address: str
    key: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One API call; returns the answer's JSON. Raises RuntimeError with the problem the API named."""
        request = urllib.request.Request(
            self.address + API + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()[:2000]}") from error
        return json.loads(text) if text else None

    def workflow(self, name: str, definition: dict[str, Any]) -> str:
        """Create a workflow; returns its id."""
        return str(self.call("POST", "/workflows", {"name": name, "definition": definition})["id"])

    def hook(self, workflow: str, **config: Any) -> Hook:
        """Give a workflow a webhook in GitHub's scheme."""
        answer = self.call(
            "POST", "/triggers", {"workflow_id": workflow, "kind": "webhook", "config": {"scheme": "github", **config}}
        )
        endpoint = answer["webhook"]
        return Hook(self.address, urlsplit(endpoint["url"]).path, endpoint["secret"])
