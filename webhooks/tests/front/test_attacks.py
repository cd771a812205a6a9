"""Bodies that mean harm: bombs, crowds, entities, paths, and references to files that the sender does not have."""

import gzip
import zlib

import pytest

from automation.models import Run, RunData, StoredFile
from automation.services import files
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.tests import make
from webhooks.tests.front.forms import field, file, form
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db

MULTIPART = "multipart/form-data; boundary=XX"
LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]><lolz>&lol3;</lolz>"""
EXTERNAL = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
PARAMETER = b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]><a/>'
QUADRATIC = b'<!DOCTYPE a [<!ENTITY x "' + b"A" * 50_000 + b'">]><a>' + b"&x;" * 5_000 + b"</a>"


def refused(body, content_type, **headers):
    response = Sender(make.endpoint()).send(body, content_type=content_type, headers=headers)

    event = WebhookEvent.objects.get()
    assert (event.verdict, event.status, event.reason) == (
        EventVerdict.REJECTED,
        response.status_code,
        response.json()["code"],
    )
    assert (Run.objects.count(), StoredFile.objects.count()) == (0, 0)
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS,
        EXTERNAL,
        PARAMETER,
        QUADRATIC,
        b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://127.0.0.1:1/x.dtd"><a/>',
        b"<a>&undefined;</a>",
        b"<a>" * 51 + b"</a>" * 51,
        b"<a>" + b"<b/>" * 60_000 + b"</a>",
        b"<a " + b" ".join(b'a%d="1"' % n for n in range(60_000)) + b"/>",
        b"<a" * 200_000,
        b"<a>\x00</a>",
        b"<a>\x01</a>",
        b"<a></b>",
        b"<a/><b/>",
        b"not xml",
        b'<?xml version="1.0" encoding="zlib"?><a/>',
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_xml_that_is_no_plain_document_is_refused(body):
    status, code = refused(body, "application/xml")

    assert (status, code) in {(400, "malformed_xml"), (400, "malformed_text"), (415, "unsupported_media_type")}


@pytest.mark.parametrize(
    ("encoding", "body", "status", "code"),
    [
        ("gzip", gzip.compress(b"x" * 50_000_000), 413, "too_large"),
        ("deflate", zlib.compress(b"x" * 50_000_000), 413, "too_large"),
        ("gzip", gzip.compress(gzip.compress(b"{}"))[:-4], 400, "malformed_encoding"),
        ("gzip", b"{}", 400, "malformed_encoding"),
        ("deflate", zlib.compress(b"{}") + b"more", 400, "malformed_encoding"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}")), 415, "unsupported_media_type"),
        ("br", b"x", 415, "unsupported_media_type"),
        ("zstd", b"x", 415, "unsupported_media_type"),
    ],
    ids=["gzip-bomb", "deflate-bomb", "cut", "plain", "more", "twice", "br", "zstd"],
)
def test_a_body_that_does_not_decompress_within_the_limit_is_refused(encoding, body, status, code):
    assert refused(body, "application/json", **{"Content-Encoding": encoding}) == (status, code)


@pytest.mark.parametrize(
    "body",
    [
        form(*[field("a", "")] * 1001),
        form(*[(b"X-Nothing: 1", b"")] * 1001),
        form(*[file("f", "a.txt", b"x")] * 21),
        form(field("a", "1"))[:-6],
        form((b'Content-Disposition: form-data; name="a"', b"\xff\xfe")),
        form(field("a", "nul\x00")),
    ],
    ids=["fields", "parts", "files", "cut", "charset", "nul"],
)
def test_a_form_that_cannot_be_read_is_refused(body):
    assert refused(body, MULTIPART) in {(400, "malformed_form"), (400, "malformed_text")}


def test_a_hundred_thousand_parts_cost_a_look(settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "body_bytes": 16 << 20}
    body = form(*[field("a", "x" * 40)] * 100_000)

    response = Sender(make.endpoint(max_body_bytes=16 << 20)).send(body, content_type=MULTIPART)

    assert (len(body) > 9_000_000, response.status_code, response.json()["code"]) == (True, 400, "malformed_form")


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\win.ini", "/etc/passwd", "a\x00b", "..", "x" * 5000])
def test_a_file_s_name_is_never_a_path(name):
    Sender(make.endpoint()).send(form(file("f", name, b"x")), content_type=MULTIPART)

    names = StoredFile.objects.values_list("name", flat=True)
    assert all(len(kept) <= 255 and not set(kept) & {"/", "\\", "\0"} and kept not in ("..", ".") for kept in names)


class TestReferences:
    """Security rule R9: a delivery brings files; it names none."""

    @pytest.fixture
    def theirs(self):
        """A file of the same workspace, whose id a stranger has learnt."""
        endpoint = make.endpoint(scheme="none")
        return endpoint, files.keep(endpoint.workspace_id, "secret.txt", "text/plain", b"secret")["$file"]

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            ('{{"file": {{"$file": "{id}"}}}}', "application/json"),
            ('[[{{"a": [{{"$file": "{id}"}}]}}]]', "application/json"),
            ('{{"\\u0024file": "{id}"}}', "application/json"),
            ('{{"\\u0024\\u0066\\u0069\\u006c\\u0065": "{id}"}}', "application/json"),
            ("$file={id}", "application/x-www-form-urlencoded"),
            ("%24file={id}", "application/x-www-form-urlencoded"),
            ("payload=%7B%22%24file%22%3A%22{id}%22%7D", "application/x-www-form-urlencoded"),
        ],
    )
    def test_a_body_that_names_a_stored_file_is_refused(self, theirs, body, content_type):
        endpoint, file_id = theirs

        response = Sender(endpoint).post(body.format(id=file_id).encode(), {}, content_type=content_type)

        is_text = content_type.startswith("application/x") and body.startswith("payload")
        assert (response.status_code, Run.objects.count()) == ((202, 1) if is_text else (400, 0))
        assert is_text or response.json()["code"] == "file_reference"
        assert StoredFile.objects.get().expires_at is not None  # no run has taken hold of it

    def test_a_form_field_that_names_one_is_refused(self, theirs):
        endpoint, file_id = theirs

        response = Sender(endpoint).post(form(field("$file", file_id)), {}, content_type=MULTIPART)

        assert (response.status_code, response.json()["code"]) == (400, "file_reference")

    def test_a_query_and_a_header_that_name_one_are_left_out(self, theirs):
        endpoint, file_id = theirs

        response = Sender(endpoint).post(b"{}", {"$file": file_id}, query=f"$file={file_id}&%24file={file_id}")

        trigger = RunData.objects.get().input["trigger"]
        assert (response.status_code, trigger["query"], "$file" in trigger["headers"]) == (202, {}, False)
        assert StoredFile.objects.get().expires_at is not None


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json, text/plain",
        "application/json;application/xml",
        "text/plain; charset=utf-8; charset=bz2",
        "application/JSON",
        ";",
        "a/b; boundary=x",
        "multipart/form-data; boundary=" + "x" * 5000,
        "multipart/form-data; boundary=\u00e9",
        "multipart/mixed; boundary=XX",
    ],
)
def test_a_strange_content_type_is_an_answer_and_never_an_error(content_type):
    response = Sender(make.endpoint()).send(b'{"a": 1}', content_type=content_type)

    assert response.status_code in (202, 400, 415)
    assert WebhookEvent.objects.get().status == response.status_code
