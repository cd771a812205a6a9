"""Every refusal is problem JSON (RFC 9457) with a stable code, the places and a request id."""

import json
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.response import Response
from rest_framework.views import APIView

from brainops.core import errors
from brainops.core.api.serializers import ClosedSerializer
from brainops.core.database_errors import as_unavailable
from brainops.core.errors import Problem
from brainops.core.web.problem_json import problem_body

raised: dict[str, Callable[[], Exception]] = {
    "invalid": lambda: errors.InvalidInput.from_problems([Problem("a", "First.", "/x"), Problem("b", "Second.", "/y")]),
    "unauthenticated": errors.NotAuthenticated,
    "denied": errors.PermissionDenied,
    "missing": Http404,
    "stale": lambda: errors.VersionMismatch("Old.", details={"present": "1.2.0"}, headers={"ETag": '"1.2.0"'}),
    "throttled": lambda: Throttled(wait=2.2),
    "suspicious": lambda: SuspiciousOperation("x"),
    "away": lambda: OperationalError("connection refused"),
    "defect": lambda: RuntimeError("the details stay inside"),
}


class Body(ClosedSerializer):
    name = serializers.CharField(max_length=5)
    size = serializers.IntegerField(min_value=1)
    id = serializers.UUIDField(read_only=True)


class RaisingView(APIView):
    permission_classes = ()
    authentication_classes = ()

    def get(self, request: Any, kind: str) -> Response:
        raise raised[kind]()

    def post(self, request: Any, kind: str) -> Response:
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(body.validated_data)


@csrf_exempt
def plain_view(request: HttpRequest, kind: str) -> HttpResponse:
    raise raised[kind]()


urlpatterns = [
    path("api/drf/<kind>", RaisingView.as_view()),
    path("api/plain/<kind>", plain_view),
    path("page/<kind>", plain_view),
    path("", include("brainops.urls")),
]
handler400 = "brainops.core.web.fallbacks.bad_request"
handler404 = "brainops.core.web.fallbacks.not_found"
handler500 = "brainops.core.web.fallbacks.server_error"

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False, headers={"X-Request-Id": "test-request-1"})


EXPECTED = {
    "invalid": (400, "invalid_input", "Invalid input", "First. (1 more)"),
    "unauthenticated": (
        *(401, "not_authenticated", "Not authenticated"),
        "Send an API key or an access token: `Authorization: Bearer …`.",
    ),
    "denied": (403, "permission_denied", "Permission denied", "You may not do this."),
    "missing": (404, "not_found", "Not found", "There is nothing at this address, or it is not yours."),
    "stale": (412, "version_mismatch", "Version mismatch", "Old."),
    "suspicious": (400, "invalid_input", "Invalid input", "The request is not well-formed."),
    "away": (
        *(503, "database_unavailable", "The database is away"),
        "The database cannot be reached and nothing was stored. Send it again in a few seconds.",
    ),
    "defect": (
        *(500, "internal_error", "Internal error"),
        "Something went wrong on our side. The request id finds it in the log.",
    ),
}


@pytest.mark.parametrize("kind", EXPECTED)
@pytest.mark.parametrize("door", ["drf", "plain"])
def test_every_refusal_is_the_same_problem_whatever_view_raised_it(client, door, kind):
    response = client.get(f"/api/{door}/{kind}")

    body = json.loads(response.content)
    status, code, title, detail = EXPECTED[kind]
    standard = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert {name: body[name] for name in standard} == standard
    assert body["request_id"] == response.headers["X-Request-Id"] == "test-request-1"


def test_all_problems_come_with_their_pointers(client):
    body = client.get("/api/drf/invalid").json()

    assert body["problems"] == [
        {"code": "a", "message": "First.", "pointer": "/x"},
        {"code": "b", "message": "Second.", "pointer": "/y"},
    ]
    assert body["problem_count"] == 2


def test_a_body_with_several_mistakes_is_answered_with_all_of_them(client):
    body = client.post(
        "/api/drf/x", {"name": "too long", "size": 0, "id": "7", "owner": "me"}, content_type="application/json"
    ).json()

    assert [(problem["pointer"], problem["code"]) for problem in body["problems"]] == [
        ("/name", "max_length"),
        ("/size", "min_value"),
        ("/id", "read_only"),
        ("/owner", "unknown_key"),
    ]


def test_a_body_that_is_no_object_is_refused(client):
    body = client.post("/api/drf/x", b"[1]", content_type="application/json").json()

    assert [(problem["pointer"], problem["code"]) for problem in body["problems"]] == [("", "invalid")]


def test_extra_members_and_headers_are_carried(client):
    response = client.get("/api/drf/stale")

    assert (response.json()["present"], response.headers["ETag"]) == ("1.2.0", '"1.2.0"')


@pytest.mark.parametrize(("kind", "seconds"), [("throttled", "3"), ("away", "5")])  # 2.2 s is rounded up
def test_a_refusal_that_passes_says_when_to_come_back(client, kind, seconds):
    assert client.get(f"/api/drf/{kind}").headers["Retry-After"] == seconds


def test_a_401_names_the_scheme(client):
    assert client.get("/api/drf/unauthenticated").headers["WWW-Authenticate"] == 'Bearer realm="BrainOps"'


def test_a_wrong_method_is_405_and_names_the_right_ones(client):
    response = client.delete("/api/drf/x")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_another_type_is_415(client, content_type):
    response = client.post("/api/drf/x", b"{}", content_type=content_type)

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("charset", ["utf-16", "bz2_codec", "utf-7", "latin-1"])
def test_a_body_in_another_charset_is_415(client, charset):
    response = client.generic("POST", "/api/drf/x", b"{}", f"application/json; charset={charset}")

    assert response.status_code == 415
    assert response.json()["detail"] == f"The charset '{charset}' is not read. Send JSON in UTF-8."


def test_a_compressed_body_is_415(client):
    response = client.post("/api/drf/x", b"{}", content_type="application/json", headers={"Content-Encoding": "gzip"})

    assert response.status_code == 415


def test_a_body_over_the_limit_is_413_before_it_is_read(client, settings):
    size = settings.BRAINOPS_LIMITS["body_bytes"] + 1

    response = client.post("/api/drf/x", b"x" * size, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert response.json()["limit_bytes"] == size - 1


def test_a_body_in_chunks_is_411_and_not_taken_for_an_empty_one(client):
    response = client.generic(
        "POST", "/api/drf/x", b"", "application/json", headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH=""
    )

    assert (response.status_code, response.json()["code"]) == (411, "length_required")


def test_an_answer_nobody_can_make_is_406(client):
    response = client.get("/api/drf/denied", headers={"Accept": "text/html"})

    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_an_unknown_host_name_is_refused(client):
    response = client.get("/api/drf/denied", headers={"Host": "evil.example"})

    assert (response.status_code, response.json()["code"]) == (400, "unknown_host")


def test_a_500_shows_nothing_of_its_cause(client):
    response = client.get("/api/drf/defect")

    assert b"details stay inside" not in response.content
    assert b"RuntimeError" not in response.content


def test_people_get_a_line_of_text_instead_of_json(client):
    response = client.get("/page/defect", headers={"Accept": "text/html"})

    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().startswith("500 Internal error.")


def pg_error(code: str) -> OperationalError:
    """Django's error around the driver's, as psycopg2 raises it for an SQLSTATE."""
    cause = psycopg2.errors.lookup(code)()
    cause.__setstate__({"pgcode": code})
    error = OperationalError("x")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OperationalError("could not connect"), "database_unavailable"),
        (pg_error("57P01"), "database_unavailable"),  # admin shutdown
        (pg_error("57P03"), "database_unavailable"),  # starting up
        (pg_error("08006"), "database_unavailable"),  # connection failure
        (pg_error("53300"), "database_busy"),  # too many connections
        (pg_error("40P01"), "database_busy"),  # deadlock
        (pg_error("57014"), "database_busy"),  # statement timeout
        (IntegrityError("duplicate key"), None),
        (ValueError("x"), None),
    ],
)
def test_what_the_database_says_decides_between_come_back_and_a_defect(error, code):
    unavailable = as_unavailable(error)

    assert (unavailable.code if unavailable else None) == code


def test_no_secret_of_a_message_reaches_the_answer():
    body = problem_body(errors.Conflict("cannot reach postgres://ada:s3cret@db/flows"))

    assert body["detail"] == "cannot reach postgres://ada:•••@db/flows"
