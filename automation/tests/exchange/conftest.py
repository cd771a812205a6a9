"""People who export and import, and files for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client

from automation.services.exchange import form
from automation.tests.api.conftest import HELLO, PREFIX, Api, make_person, make_workspace
from automation.tests.api.conftest import _nothing_remembered as _nothing_remembered
from automation.tests.api.conftest import home as home
from automation.tests.api.conftest import member as member
from automation.tests.api.conftest import owner as owner
from automation.tests.api.conftest import stranger as stranger

__all__ = ["HELLO", "Api", "export", "import_", "make_person", "make_workspace"]


def say(text: str = "Hello", **document: Any) -> dict[str, Any]:
    """A definition with one step."""
    return {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": text}}], **document}


def calling(*names: str) -> dict[str, Any]:
    """A definition that calls other workflows."""
    steps = [{"id": f"call_{place}", "call": {"workflow": name}} for place, name in enumerate(names)]
    return {"schema": 1, "steps": steps}


def workflow(name: str = "Hello", definition: Any = None, **members: Any) -> dict[str, Any]:
    """A workflow of a file, as a person would write it."""
    return {"name": name, "definition": definition or say(), **members}


def file_of(*workflows: Any, **frame: Any) -> bytes:
    """A JSON file."""
    return orjson.dumps({"format": form.FORMAT, "format_version": 1, "workflows": list(workflows), **frame})


def export(who: Api, **body: Any) -> bytes:
    """The bytes of an export that is sent at once."""
    response = who.post("/workflows/export", body)
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def exported(who: Api, **body: Any) -> dict[str, Any]:
    """The document of an export."""
    return orjson.loads(export(who, **body))


def send(who: Api, body: bytes, *, kind: str = "application/json", key: str = "", **query: Any) -> Any:
    """POST a file; `query` are the options."""
    said = {name.rstrip("_"): str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    headers = {"Authorization": f"Bearer {who.key.text}", **({"Idempotency-Key": key} if key else {})}
    client = Client(raise_request_exception=False, headers=headers)
    return client.generic("POST", f"{PREFIX}/workflows/import", body, content_type=kind, QUERY_STRING=_query(said))


def import_(who: Api, body: bytes, **query: Any) -> dict[str, Any]:
    """What an import answered."""
    response = send(who, body, **query)
    assert response.status_code == 200, response.content
    return response.json()


def actions(answer: dict[str, Any]) -> list[str]:
    """What became of each workflow."""
    return [result["action"] for result in answer["results"]]


def codes(result: dict[str, Any], where: str = "reasons") -> list[tuple[str, str]]:
    """Codes and places of what was told about a workflow."""
    return [(reason["code"], reason["pointer"]) for reason in result[where]]


def rows_of_all_tables() -> dict[str, list[tuple[Any, ...]]]:
    """Count and newest transaction of each table: equal when no row was written."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'select count(*), coalesce(max(xmin::text::bigint), 0) from "{table}"')
            found[table] = cursor.fetchone()
    return found


def _query(said: dict[str, Any]) -> str:
    from urllib.parse import urlencode

    return urlencode(said)


@pytest.fixture
def other(db: None) -> Api:
    """The owner of a second workspace, to import into."""
    return make_person(make_workspace())


Made = Callable[..., dict[str, Any]]
