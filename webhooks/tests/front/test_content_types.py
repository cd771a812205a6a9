"""What becomes of a body, by its declared type: data, text, or a file; never what it says of itself."""

import gzip
import zlib

import pytest

from automation.models import RunData, StoredFile
from automation.services import files
from webhooks.models import WebhookEvent
from webhooks.tests import make
from webhooks.tests.front.forms import field, file, form
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db

XML = b'<?xml version="1.0" encoding="ISO-8859-1"?><order id="7"><item>a</item><item>\xfc</item><note/>paid</order>'


def send(body, content_type, endpoint=None, **headers):
    sender = Sender(endpoint or make.endpoint())
    return sender.send(body, content_type=content_type, headers=headers)


def seen():
    return RunData.objects.get().input["trigger"]


@pytest.mark.parametrize(
    ("body", "content_type", "data"),
    [
        ("ü".encode("latin-1"), "text/plain; charset=ISO-8859-1", "ü"),
        ("日本".encode("shift_jis"), 'text/plain; charset="Shift_JIS"', "日本"),
        ("ж".encode("koi8-r"), "text/plain;charset=KOI8-R", "ж"),
        ("a€".encode("utf-16"), "text/plain; charset=UTF-16", "a€"),
        ("\ufeffa".encode(), "text/plain", "a"),
        ('{"a": "ü"}'.encode("cp1252"), "application/json; charset=windows-1252", {"a": "ü"}),
        (b"a=%FC&b=1", "application/x-www-form-urlencoded; charset=latin1", {"a": "ü", "b": "1"}),
        (b"a,b\r\n1,2", "text/csv", "a,b\r\n1,2"),
        (b"", "application/json", None),
        (b"", "multipart/form-data; boundary=x", None),
        (b"text", "", "text"),
    ],
)
def test_a_charset_is_decoded_as_declared(body, content_type, data):
    response = send(body, content_type)

    assert (response.status_code, seen()["body"]) == (202, data)


@pytest.mark.parametrize(
    "charset", ["bz2_codec", "zlib", "rot13", "idna", "punycode", "unicode_escape", "utf-7", "../x", "x" * 500, "mbcs"]
)
def test_a_charset_that_is_none_is_refused(charset):
    response = send(b"a", f"text/plain; charset={charset}")

    assert (response.status_code, WebhookEvent.objects.get().reason) == (415, "unsupported_media_type")


def test_bytes_of_another_charset_are_refused_and_nothing_is_guessed():
    response = send(b"\xe4\xf6", "text/plain; charset=UTF-8")

    assert (response.status_code, response.json()["code"]) == (400, "malformed_text")


def test_xml_becomes_plain_json_and_keeps_its_text():
    response = send(XML, "text/xml")

    assert response.status_code == 202
    assert seen()["body"] == {"order": {"@id": "7", "item": ["a", "ü"], "note": "", "#text": "paid"}}
    assert seen()["text"] == XML.decode("latin-1")


def test_the_charset_of_the_content_type_wins_over_the_document_s_own():
    send('<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>'.encode(), "application/soap+xml; charset=utf-8")

    assert seen()["body"] == {"a": "ü"}


def test_a_form_with_files_becomes_fields_and_references():
    body = form(field("order", "7"), field("tag", "a"), field("tag", "ü"), file("photo", "cat.png", b"\x89PNG"))

    response = send(body, "multipart/form-data; boundary=XX")

    stored = StoredFile.objects.get()
    reference = {
        "$file": str(stored.id),
        "name": "cat.png",
        "content_type": "image/png",
        "size": 4,
        "sha256": "0f4636c78f65d3639ece5a064b5ae753e3408614a14fb18ab4d7540d2c248543",
    }
    assert response.status_code == 202
    assert seen()["body"] == {"order": "7", "tag": ["a", "ü"], "photo": reference}
    workspace_id = WebhookEvent.objects.get().workspace_id
    assert (files.open_file(workspace_id, reference).read(), stored.workspace_id) == (b"\x89PNG", workspace_id)


def test_texts_and_files_of_one_name_are_one_list():
    body = form(file("f", "a.txt", b"x"), field("f", "text"), file("f", "b.txt", b"y"))

    response = send(body, "multipart/form-data; boundary=XX")

    found = seen()["body"]["f"]
    assert (response.status_code, found[0], [one["name"] for one in found[1:]]) == (202, "text", ["a.txt", "b.txt"])


def test_a_file_stands_among_the_inputs_once():
    schema = {"type": "object", "properties": {"photo": {"type": "object"}}, "required": ["photo"]}
    endpoint = make.endpoint(make.workflow(definition={**make.DEFINITION, "inputs": schema}))

    send(form(file("photo", "cat.png", b"\x89PNG")), "multipart/form-data; boundary=XX", endpoint)

    given = RunData.objects.get().input
    assert given["inputs"]["photo"] == given["trigger"]["body"]["photo"]
    assert StoredFile.objects.count() == 1


def test_bytes_become_a_file():
    response = send(b"%PDF-1.7 \x00", "application/pdf")

    stored = StoredFile.objects.get()
    assert (response.status_code, stored.content_type, stored.size) == (202, "application/pdf", 10)
    assert seen()["body"]["$file"] == str(stored.id)


def test_a_repeat_stores_no_file_once_more():
    sender = Sender(make.endpoint())

    statuses = [sender.send(b"\x00", delivery="d-1", content_type="image/png").status_code for _ in range(2)]

    assert (statuses, StoredFile.objects.count()) == ([202, 200], 1)


def test_a_refused_delivery_leaves_no_file():
    endpoint = make.endpoint(make.workflow(is_active=False))

    response = send(b"\x00", "image/png", endpoint)

    assert (response.status_code, StoredFile.objects.count()) == (409, 0)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress)],
    ids=["gzip", "x-gzip", "deflate", "GZIP"],
)
def test_a_compressed_body_is_read_and_its_signature_is_over_what_came(encoding, packed):
    raw = packed(b'{"a": [1, 2, 3]}')

    response = send(raw, "application/json", **{"Content-Encoding": encoding})

    assert (response.status_code, seen()["body"]) == (202, {"a": [1, 2, 3]})
    assert bytes(WebhookEvent.objects.get().body) == raw
