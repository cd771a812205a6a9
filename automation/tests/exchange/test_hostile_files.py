"""Files that were made to do harm, and files that are merely wrong."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import pytest

from automation.models import Workflow
from automation.tests.exchange.conftest import (
    Api,
    actions,
    codes,
    export,
    exported,
    file_of,
    import_,
    say,
    send,
    workflow,
)

ZIP, YAML, NDJSON, JSON = "application/zip", "application/yaml", "application/x-ndjson", "application/json"
LINES = b'{"format":"brainops/export","format_version":1}\n'


def zip_of(*members: tuple[str, bytes], **about: int) -> bytes:
    """A zip file with these members; `about` are attributes of their entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            for attribute, value in about.items():
                setattr(entry, attribute, value)
            archive.writestr(entry, content)
    return out.getvalue()


def refused(who: Api, body: bytes, kind: str) -> tuple[int, str]:
    """Status and code of the answer; nothing was stored."""
    response = send(who, body, kind=kind)
    assert Workflow.objects.count() == 0
    return response.status_code, response.json()["code"]


GOOD = file_of(workflow())
SYMLINK = {"external_attr": 0o120777 << 16, "create_system": 3}


@pytest.mark.parametrize("form", ["json", "ndjson", "yaml"])
def test_a_zip_file_of_one_known_member_is_read(owner: Api, other: Api, form: str):
    owner.make()

    assert actions(import_(other, zip_of((f"export.{form}", export(owner, format=form))), kind=ZIP)) == ["create"]


@pytest.mark.parametrize(
    "body",
    [
        b"PK",
        b"no zip file at all",
        zip_of(),
        zip_of(("../export.json", GOOD)),
        zip_of(("/etc/passwd", GOOD)),
        zip_of(("export.json/", b"")),
        zip_of(("dir/export.json", GOOD)),
        zip_of(("inner.zip", zip_of(("export.json", GOOD)))),
        zip_of(("export.json", GOOD), ("evil.sh", b"rm -rf /")),
        zip_of(("export.json", GOOD), ("export.yaml", b"")),
        zip_of(("export.json", GOOD), **SYMLINK),
        zip_of(("export.json", GOOD))[:-30],
        zip_of(("export.json", GOOD)).replace(b"\x08\x00", b"\x63\x00"),  # packed in a way nobody knows
        zip_of(*((f"{n}.json", b"") for n in range(2000))),
        b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, 0xFFFFFFFF, 0, 0),
        b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, 60, 0, 0),
    ],
    ids=str.split("two text none slip absolute folder nested zip extra twice symlink cut packing crowd huge zip64"),
)
def test_a_zip_file_that_holds_anything_else_is_refused(owner: Api, body: bytes):
    assert refused(owner, body, ZIP)[0] == 400


def test_a_zip_bomb_is_refused_before_and_while_it_unpacks(owner: Api, settings):
    bomb = zip_of(("export.ndjson", LINES + b" " * (40 << 20)))
    assert len(bomb) < 60_000
    assert refused(owner, bomb, ZIP) == (413, "too_large")

    # a directory that lies about the size
    liar = bytearray(bomb)
    at = bytes(liar).rindex(b"PK\x01\x02")
    liar[at + 24 : at + 28] = struct.pack("<I", 1000)
    assert refused(owner, bytes(liar), ZIP)[0] in (400, 413)

    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "import_unpacked_bytes": 100}
    assert refused(owner, zip_of(("export.json", GOOD)), ZIP) == (413, "too_large")


def test_a_damaged_member_is_refused(owner: Api):
    body = bytearray(zip_of(("export.json", file_of(workflow(description="x" * 5000)))))
    body[60:64] = b"\xff\xff\xff\xff"

    assert refused(owner, bytes(body), ZIP) == (400, "malformed_zip")


FRAME = "format: brainops/export\nformat_version: 1\n"
ITEM = "- name: Hello\n  definition: {schema: 1, steps: [{id: say, uses: log, with: {message: %s}}]}\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{FRAME}workflows:\n- &a {{name: x}}\n- *a\n",
        f"{FRAME}workflows: !!python/object/apply:os.system [id]\n",
        f"{FRAME}workflows:\n- !!str x\n",
        f"{FRAME}workflows:\n- name: !evil x\n",
        f"{FRAME}format: again\nworkflows: []\n",
        f"{FRAME}workflows:\n- name: a\n  name: b\n",
        f"{FRAME}workflows: []\n---\nworkflows: []\n",
        f"%YAML 1.1\n---\n{FRAME}workflows: []\n",
        f"{FRAME}workflows:\n" + ITEM % ("[" * 500),
        f"{FRAME}workflows:\n" + ITEM % ".nan",
        f"{FRAME}workflows:\n" + ITEM % ("9" * 5000),
        f"{FRAME}workflows: [",
        f"{FRAME}workflows: 5\n",
        f"{FRAME}workflows:\n- ? [a, b]\n  : c\n",
        "- a\n",
        "\t",
        "a: b: c\n",
        "﻿" + FRAME + "workflows: []\n",
    ],
)
def test_yaml_that_says_more_than_data_is_refused(owner: Api, text: str):
    assert refused(owner, text.encode(), YAML)[0] == 400


def test_yaml_in_other_encodings_is_refused(owner: Api):
    text = f"{FRAME}workflows: []\n"

    assert refused(owner, text.encode("utf-16"), YAML)[0] == 400
    assert refused(owner, text.encode() + b"\xff", YAML)[0] == 400
    assert send(owner, text.encode(), kind="application/yaml; charset=latin-1").status_code == 415


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("no", "no"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ("Yes", "Yes"), ("0777", 777), ("0o17", 15),
        ("0x1F", 31), ("1e3", 1000.0), ("1_000", "1_000"), (".5", 0.5), ("True", True), ("~", None), ("", None),
        ("'~'", "~"), ("\"a\\tb\"", "a\tb"), ("<<", "<<"), ("-a", "-a"), ("1.2.3", "1.2.3"),
    ],
)  # fmt: skip
def test_yaml_scalars_mean_what_yaml_1_2_says(owner: Api, written: str, means: object):
    text = f"{FRAME}workflows:\n- name: Hello\n  meta_data:\n    value: {written}\n  definition: {json.dumps(say())}\n"

    import_(owner, text.encode(), kind=YAML)

    assert repr(Workflow.objects.get().meta_data["value"]) == repr(means)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"null", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"format":"n8n","format_version":1,"workflows":[]}', 400),
        (b'{"format":"brainops/export","format_version":2,"workflows":[]}', 400),
        (b'{"format":"brainops/export","format_version":1}', 400),
        (b'{"format":"brainops/export","format_version":1,"workflows":{}}', 400),
        (b'{"format":"brainops/export","format_version":1,"workflows":[0]}', 400),
        (b'{"format":"brainops/export","format_version":1,"workflows":[{"name":"a"}{"name":"b"}]}', 400),
        (b'{"format":"brainops/export","format_version":1,"workflows":[{"name":"a"},]}', 400),
        (b'{"format":"brainops/export","format_version":1,"workflows":[],"workflows":[]}', 400),
        (b'{"format":"brainops/export","format_version":1,"work\\u0066lows":[{"name":"a"}]}', 400),
        (b'{"format":"brainops/export","format_version":1,"workflows":[{"name":"a"}', 400),
        (b'{"format":"brainops/export","format_version":1,"workflows":[]} trailing', 400),
        (b'{"format":"brainops/export","format_version":1,"workflows":[],"code":"import os"}', 400),
        (b"\xff\xfe{}", 400),
        (b'"' + b"a" * (2 << 20), 413),
        (b" " * (2 << 20), 413),
        (b"[" * 100_000, 400),
    ],
)  # fmt: skip
def test_a_json_file_that_is_none_of_ours_is_refused_whole(owner: Api, body: bytes, status: int):
    assert refused(owner, body, JSON)[0] == status


@pytest.mark.parametrize(
    "member",
    [
        b'{"name":"a\\u0000b","definition":{}}',
        b'{"name":"\\ud800","definition":{}}',
        b'{"name":"a","name":"b","definition":{}}',
        b'{"name":"a","definition":{"n":1e999}}',
        b'{"name":"a","definition":{"n":123456789012345678901234567890}}',
        b'{"name":"a","definition":{"n":NaN}}',
        b'{"name":"a","definition":' + b'{"a":' * 80 + b"1" + b"}" * 80 + b"}",
        b'{"name":"a","definition":{},"is_staff":true}',
        b'{"name":"a","definition":[]}',
        b'{"name":"a"}',
    ],
)
def test_one_bad_workflow_is_refused_and_the_others_come_in(owner: Api, member: bytes):
    body = file_of(workflow("Before"), 12345, workflow("After")).replace(b"12345", member)

    assert actions(import_(owner, body)) == ["create", "refused", "create"]


@pytest.mark.parametrize(
    "body",
    [
        LINES,
        LINES + b"\n",
        LINES + b'{"workflow":{}}',
        LINES + b'{"end":{}}\n{"end":{}}\n',
        LINES + b'{"end":5}\n',
        LINES + b'{"workflow":{},"x":1}\n{"end":{}}\n',
        b'{"end":{}}\n',
        b'[]\n{"end":{}}\n',
    ],
)
def test_lines_that_are_no_export_are_refused_whole(owner: Api, body: bytes):
    assert refused(owner, body, NDJSON)[0] == 400


@pytest.mark.parametrize("form", ["json", "ndjson", "yaml", "zip"])
def test_a_file_that_was_cut_is_refused_whole(owner: Api, other: Api, form: str):
    owner.make(name="One")
    owner.make(name="Two")
    file = export(owner, format=form)

    for end in (len(file) // 3, len(file) * 2 // 3, len(file) - 3):
        response = send(other, file[:end], kind=f"application/{'x-ndjson' if form == 'ndjson' else form}")
        assert response.status_code == 400, (form, end)
    assert Workflow.objects.filter(workspace=other.workspace).count() == 0


def test_changed_content_under_an_old_checksum_is_refused(owner: Api, other: Api):
    owner.make(name="One")
    owner.make(name="Two")
    changed = exported(owner)
    changed["workflows"][0]["name"] = "Other"
    swapped = exported(owner)
    swapped["workflows"].reverse()
    short = exported(owner)
    del short["workflows"][0], short["checksum"]

    answer = import_(other, json.dumps(changed).encode())
    whole = send(other, json.dumps(swapped).encode())
    fewer = send(other, json.dumps(short).encode())

    assert codes(answer["results"][0]) == [("checksum_mismatch", "/workflows/0/checksum")]
    assert [problem["pointer"] for problem in whole.json()["problems"]] == ["/checksum"]
    assert [problem["code"] for problem in fewer.json()["problems"]] == ["count_mismatch"]


def test_owners_ids_and_secrets_in_a_file_are_left_out_and_told(owner: Api, stranger: Api):
    hook = {"kind": "webhook", "config": {"scheme": "github", "secret": "x" * 32}, "owner": "me"}
    told = workflow(id=stranger.make()["id"], owner=str(stranger.user.id), secrets={"token": "canary"}, triggers=[hook])

    (result,) = import_(owner, file_of(told))["results"]

    assert result["action"] == "create"
    assert codes(result, "notes") == [
        ("ignored", "/workflows/0/id"),
        ("ignored", "/workflows/0/owner"),
        ("ignored", "/workflows/0/secrets"),
        ("ignored", "/workflows/0/triggers/0/owner"),
        ("secret_ignored", "/workflows/0/triggers/0/config/secret"),
    ]
    assert Workflow.objects.get(workspace=owner.workspace).owner_id == owner.user.id
    assert result["shown_once"][0]["webhook"]["secret"] != "x" * 32


def test_a_trigger_whose_key_only_its_sender_can_make_is_left_out_and_told(owner: Api):
    told = workflow(triggers=[{"kind": "webhook", "config": {"scheme": "standard_ed25519"}}])

    (result,) = import_(owner, file_of(told))["results"]

    assert (result["action"], result["triggers_added"]) == ("create", 0)
    assert codes(result, "notes") == [("trigger_left_out", "/workflows/0/triggers/0")]


def test_limits_of_a_file_are_told(owner: Api, settings):
    def limit(**numbers: int) -> None:
        settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, **numbers}

    limit(import_workflows=1)
    assert refused(owner, file_of(workflow("A"), workflow("B")), JSON) == (413, "too_large")
    limit(import_workflows=100, import_item_bytes=1024)
    assert refused(owner, file_of(workflow(description="x" * 2000)), JSON) == (413, "too_large")
    limit(import_bytes=1024)
    assert refused(owner, b" " * 2000, JSON) == (413, "too_large")
    assert send(owner, b"x", kind="multipart/form-data; boundary=x").status_code == 415


def test_a_history_longer_than_the_limit_is_refused(owner: Api):
    history = [{"number": f"1.0.{n}", "name": "Hello", "definition": {}} for n in range(10_001)]

    answer = import_(owner, file_of(workflow(history=history)))

    assert (actions(answer), codes(answer["results"][0])[0][1]) == (["refused"], "/workflows/0/history")


def test_a_million_versions_are_refused_by_their_size(owner: Api, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "import_item_bytes": 1 << 20}
    version = b'{"number":"1.0.0","name":"a","definition":{}},'
    body = file_of(workflow(history=[777])).replace(b"777", version * 60_000 + version[:-1])

    assert refused(owner, body, JSON) == (413, "too_large")
