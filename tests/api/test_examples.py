"""Every operation of the OpenAPI document shows what is sent and what comes back, and what it shows is so.

`make examples` tells the story again and stores what was said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import orjson
import pytest
from drf_spectacular.generators import SchemaGenerator

from automation.services import runnable
from automation.tests.conftest import runtime as runtime
from brainops.accounts.models import Membership, Role, User, Workspace
from brainops.accounts.tests.sign_on.conftest import issuer as issuer
from brainops.accounts.tests.sign_on.conftest import use as use
from brainops.core.api.recorded import FOLDER, recorded
from brainops.core.egress import http
from brainops.core.ratelimit.limiter import limiter
from tests.api.story import doors, events, outward, people, runs, workflows
from tests.api.story.stable import TIME, UUID
from tests.api.story.teller import Book
from tests.live import Receiver

Told = dict[str, dict[str, Any]]
SCHEMAS = {
    "workflow_schema_retrieve": "answers a JSON Schema, which is the same for everybody",
    "export_schema_retrieve": "answers a JSON Schema, which is the same for everybody",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return orjson.loads(orjson.dumps(made, option=orjson.OPT_NON_STR_KEYS))


@pytest.fixture
def shop(settings: Any) -> Iterator[Receiver]:
    """A server outside, which runs may call."""
    receiver = Receiver()
    settings.BRAINOPS_EGRESS_ALLOW = [receiver.address]
    http.client.cache_clear()  # an earlier test of this process may have called somebody
    yield receiver
    http.client.cache_clear()
    receiver.close()


@pytest.fixture
def quick(settings: Any) -> None:
    """Passwords that are hashed at once, mails that stay here, and values that are soon large."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.BRAINOPS_INLINE_BYTES = 1024
    runnable.forget_all()


@pytest.fixture
def told(document: dict[str, Any], quick: None, shop: Receiver, runtime: Any, use: Any, issuer: str) -> Told:
    """The story, from the first login to the last look of staff."""
    use("company", issuer)
    home = Workspace.objects.create(name="Shop", slug="shop")
    for name, role in (("ada", Role.OWNER), ("joan", Role.VIEWER)):
        user = User.objects.create_user(f"{name}@example.com", people.PASSWORD, username=name)
        Membership.objects.create(user=user, workspace=home, role=role)
    User.objects.create_superuser("root@example.com", people.PASSWORD, username="root")
    book = Book(document)
    _tell(book, home, shop)
    return shortened(book.told)


def _tell(book: Book, home: Workspace, shop: Receiver) -> None:
    ada = people.log_in(book, "ada")
    people.workspaces(ada)
    people.members(book, ada, home)
    people.keys(ada)
    limiter.start_anew()
    greet = workflows.versions(ada)
    workflows.around(ada, greet)
    workflows.values(ada)
    runs.of_one_workflow(ada, greet)
    runs.of_orders(ada, shop)
    runs.of_people(ada, home, "grace")
    limiter.start_anew()
    doors.triggers(ada, greet)
    doors.webhooks(ada)
    doors.notices(ada)
    events.events(ada)
    outward.subscriptions(ada, home)
    workflows.files(ada, greet)
    limiter.start_anew()
    people.leaving(ada)
    people.sign_in(book)
    people.sign_on(book)
    doors.audit(ada)
    doors.staff(people.log_in(book, "root"), home, User.objects.get(username="ada").id, greet)


def shortened(told: Told) -> Told:
    """Without what a document would be lost in: most of the catalogue, and two JSON Schemas."""
    for answers in told["catalogue_retrieve"]["answers"].values():
        answers["application/json"] = {name: rows[:1] for name, rows in answers["application/json"].items()}
    return {name: one for name, one in told.items() if name not in SCHEMAS}


def store(told: Told, document: dict[str, Any]) -> None:
    """One file for each tag."""
    tags = {
        operation["operationId"]: operation["tags"][0]
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    for tag in sorted(set(tags.values())):
        chosen = {name: told[name] for name in sorted(told) if tags[name] == tag}
        content = orjson.dumps(chosen, option=orjson.OPT_INDENT_2)
        (FOLDER / f"{tag.lower().replace(' ', '_')}.json").write_bytes(content + b"\n")


@pytest.mark.django_db(transaction=True)
def test_the_story_goes_as_it_was_recorded(told: Told, document: dict[str, Any]):
    if os.environ.get("RECORD_EXAMPLES"):
        store(told, document)
        recorded.cache_clear()

    assert {name: sent(one) for name, one in told.items()} == {name: sent(one) for name, one in recorded().items()}
    assert {name: kinds(one) for name, one in told.items()} == {name: kinds(one) for name, one in recorded().items()}


def sent(one: dict[str, Any]) -> str:
    """The requests without their ids and times, which hang on how fast the machine is."""
    text = orjson.dumps(one.get("request"), option=orjson.OPT_SORT_KEYS).decode()
    return UUID.sub("id", TIME.sub("time", text))


def kinds(one: dict[str, Any]) -> dict[str, list[str]]:
    """The content types by status."""
    return {status: sorted(answers) for status, answers in one["answers"].items()}


# Where no example can stand, and why: operation, or operation and content type.
WITHOUT = {
    **SCHEMAS,
    "notice_link_read": "a page for people; its address is the link of a mail",
    "notice_link_use": "a page for people; its address is the link of a mail",
    "workflows_export_retrieve application/zip": "bytes",
    "workflows_export_create application/zip": "bytes",
    "workflows_import_create application/zip": "bytes",
    "exports_download_retrieve application/zip": "bytes",
    "files_retrieve": "bytes",
    "subscriptions_test_create request": "it takes nothing",
    "webhooks_receive_create 200": "what the workflow answers; it has no form of its own",
}


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def places(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body of an operation that goes well: `request` or a status, the content type, what is said of it."""
    said = {"request": operation.get("requestBody", {}), **operation["responses"]}
    for name, described in said.items():
        if name == "request" or name.startswith("2"):
            for kind, media in described.get("content", {}).items():
                yield name, kind, media


def shown(media: dict[str, Any]) -> list[Any]:
    """The examples of a body."""
    named = [one["value"] for one in media.get("examples", {}).values()]
    return [*named, media["example"]] if "example" in media else named


def test_every_operation_says_what_it_is_for(document: dict[str, Any]):
    bare = [one["operationId"] for one in operations(document) if not (one.get("summary") and one.get("tags"))]
    silent = [
        f"{one['operationId']} {parameter['name']}"
        for one in operations(document)
        for parameter in one.get("parameters", [])
        if not parameter.get("description")
    ]

    assert (bare, silent) == ([], [])


def test_every_body_has_an_example_or_a_reason(document: dict[str, Any]):
    missing, needless = [], set(WITHOUT)
    for operation in operations(document):
        for place, kind, media in places(operation):
            id_ = operation["operationId"]
            names = {id_, f"{id_} {kind}", f"{id_} {place}"}
            needless -= names if not shown(media) else set()
            if not shown(media) and not names & WITHOUT.keys():
                missing.append(f"{id_} {place} {kind}")

    assert (missing, sorted(needless)) == ([], [])


def test_every_example_is_what_the_document_says(document: dict[str, Any]):
    wrong = []
    for operation in operations(document):
        for place, kind, media in places(operation):
            if kind.endswith("json") and kind != "application/x-ndjson":
                schema = {**closed(media["schema"]), "components": closed(document["components"])}
                checker = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
                wrong += [
                    f"{operation['operationId']} {place} {list(error.instance_path)}: {error.message[:200]}"
                    for example in shown(media)
                    for error in checker.iter_errors(example)
                ]

    assert wrong == []


def closed(node: Any, *, is_part: bool = False) -> Any:
    """A schema that also refuses members it does not name; a part of `allOf` knows only some of them."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    inner = {
        name: [closed(one, is_part=True) for one in value] if name == "allOf" else closed(value)
        for name, value in node.items()
    }
    names_all = isinstance(node.get("properties"), dict) and "additionalProperties" not in node
    return {**inner, "unevaluatedProperties": False} if names_all and not is_part else inner


def test_no_example_opens_anything(document: dict[str, Any]):
    text = b"".join(file.read_bytes() for file in FOLDER.glob("*.json")).decode()

    assert re.findall(r"eyJ[\w-]{30,}|whsec_[\w+/=]{8,}|\bbo_\w{20,}|otpauth://\S+secret=\w", text) == []
    assert re.findall(r"testserver|localhost|127\.0\.0\.1|/tmp/|/home/", text) == []
