"""Clients of people who logged in, for the tests of workspaces and members."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections

from brainops.accounts.models import Membership, User, Workspace
from brainops.accounts.services import sessions
from brainops.accounts.tests.conftest import Api


def logged_in(user: User, workspace: Workspace | None = None) -> Api:
    """A client with an access token."""
    headers = {"Brainops-Workspace": str(workspace.id)} if workspace else {}
    return Api(sessions.open_session(user).access, **headers)


def member_id(user: User, workspace: Workspace | None = None) -> str:
    rows = Membership.objects.filter(user=user)
    return str((rows.filter(workspace=workspace) if workspace else rows).get().id)


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """What each of the deeds answers, or raises, when all start in the same moment, each on its own connection."""
    gate = threading.Barrier(len(deeds))
    answers: list[Any] = [None] * len(deeds)

    def act(index: int, deed: Callable[[], Any]) -> None:
        gate.wait(timeout=30)
        try:
            answers[index] = deed()
        except Exception as error:  # noqa: BLE001  (it is handed to the test, which looks at it)
            answers[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers
