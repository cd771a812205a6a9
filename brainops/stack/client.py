"""Talk to the running product as any client does: HTTP on the loopback address, an API key, JSON."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

API = "/api/v1/automation"
# Proxies of the environment never see these requests: they go to our own machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The product answered with an error."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"HTTP {status}: {body[:500]}")
        self.status = status


class Away(Exception):
    """Nobody answers at the address."""


@dataclass(frozen=True, slots=True)
class Client:
    """The API of one installation, with or without a key."""

    address: str
    key: str = ""

    def call(self, method: str, path: str, body: object = None, *, timeout_seconds: float = 10.0) -> Any:
        """Send a request below the API's prefix; the JSON of the answer.

        Raises Refused for a 4xx or 5xx answer and Away when there is none.
        """
        request = urllib.request.Request(  # noqa: S310 - the address is our own
            f"{self.address}{API}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Accept": "application/json", "Content-Type": "application/json"},
        )
        if self.key:
            request.add_header("Authorization", f"Bearer {self.key}")
        try:
            with _OPENER.open(request, timeout=timeout_seconds) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode("utf-8", errors="replace")) from error
        except (OSError, http.client.HTTPException) as error:
            raise Away(f"{self.address} does not answer: {error}") from error

    def is_healthy(self) -> bool:
        """Whether the product says that it can work."""
        try:
            self.call("GET", "/health", timeout_seconds=5.0)
        except (Refused, Away):
            return False
        return True
