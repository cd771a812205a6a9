"""People who log in: callers with an access token instead of a key."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
from django.http import HttpResponse
from django.test import Client

from automation.tests.api.conftest import PREFIX
from brainops.accounts.models import User
from brainops.accounts.services import sessions

_numbers = itertools.count(1)


class Login:
    """Somebody with a login; no member of anything unless made one."""

    def __init__(self, **user: Any) -> None:
        number = next(_numbers)
        self.user = User.objects.create_user(f"login{number}@example.com", username=f"login{number}", **user)
        token = sessions.open_session(self.user).access
        self._client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str, /, **query: Any) -> HttpResponse:
        return self._client.get(PREFIX + path, query)

    def post(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self._client.post(PREFIX + path, orjson.dumps(body), content_type="application/json", headers=headers)
