"""Schemathesis makes requests from the OpenAPI document, right ones and wrong ones: `make contract`.

Whatever is sent, the answer is none of 5xx, has a status that the document names for this operation, and a body of the
form that stands there. The seed is fixed, so a failure comes again; the number of requests is, so the time is bounded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from brainops.accounts.models import User
from brainops.core.ratelimit.limiter import limiter
from tests.security.conftest import Caller
from tests.security.routes import PREFIX
from tests.security.things import MAKERS, Things

pytestmark = pytest.mark.slow

REQUESTS = int(os.environ.get("CONTRACT_REQUESTS", "12"))  # for each operation, caller and way of making them
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
ROUTE_PARAMETER = re.compile(r"<\w+:(\w+)>")
HERE = "http://testserver"
# What only takes time or belongs to the connection, not to the request.
QUIET = settings(
    max_examples=REQUESTS,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def _operations() -> Iterator[Any]:
    document = SchemaGenerator().get_schema(request=None, public=True)
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        yield found.ok()


OPERATIONS = list(_operations())
MAKERS_BY_PATH = {ROUTE_PARAMETER.sub(r"{\1}", place): maker for place, maker in MAKERS.items()}


def real_names(operation: Any, things: Things) -> dict[str, str]:
    """What stands in the path for things that exist; empty where the path names none that we can make."""
    path = operation.path.removeprefix(f"/{PREFIX}")
    places = [path[: found.end()] for found in re.finditer(r"\{\w+\}", path)]
    if not all(place in MAKERS_BY_PATH for place in places):
        return {}
    return {place.rpartition("{")[2][:-1]: str(MAKERS_BY_PATH[place](things)) for place in places}


def cases(operation: Any, things: Things) -> Any:
    """Requests that fit, at things that exist and at others, and requests with something wrong in them."""
    named = real_names(operation, things)
    ways = [operation.as_strategy(), operation.as_strategy(GenerationMode.NEGATIVE)]
    if named:
        ways += [operation.as_strategy(path_parameters=named)] * 2
    return strategies.one_of(ways)


def send(case: Case, caller: Caller) -> Response:
    """The answer to what was made up."""
    if case.query and "wait" in case.query:
        case.query["wait"] = 0  # nobody works here, so a wait would last as long as it may
    prepared = requests.Request(**case.as_transport_kwargs(base_url=HERE)).prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    skipped = {"authorization", "content-type", "content-length", "cookie", "user-agent", "brainops-workspace"}
    headers = {name: value for name, value in prepared.headers.items() if name.lower() not in skipped}
    kind = prepared.headers.get("Content-Type", "application/json" if body else "")
    answer = caller._client.generic(prepared.method, prepared.path_url, body, kind, headers=headers)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    said = {name.lower(): [value] for name, value in answer.headers.items()}
    return Response(answer.status_code, said, content, prepared, elapsed=0.0, verify=False)


def wrong_with(case: Case, answer: Response) -> str:
    """What the document does not say about an answer; empty when all is as it says."""
    if answer.status_code >= 500:
        return f"{answer.status_code}: {answer.content[:300]!r}"
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        return f"{answer.status_code}: {group.exceptions[0]!r}"
    return ""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_an_operation_answers_as_the_document_says(operation: Any, things: Things, owner: Caller, viewer: Caller):
    User.objects.filter(id=owner.user.id).update(is_staff=True)
    found: dict[str, str] = {}

    @seed(20261123)
    @QUIET
    @given(case=cases(operation, things), caller=strategies.sampled_from([owner, owner, viewer]))
    def check(case: Case, caller: Caller) -> None:
        limiter.start_anew()
        wrong = wrong_with(case, answer := send(case, caller))
        if wrong:
            found.setdefault(
                wrong[:60], f"{answer.request.method} {answer.request.path_url} {answer.request.body!r}: {wrong}"[:1500]
            )

    check()

    assert list(found.values()) == []
