"""Twenty copies of one delivery at once start one run and store one file, whatever they are made of."""

import gzip

import pytest

from automation.models import Run, StoredFile
from webhooks.models import WebhookEvent
from webhooks.tests import make
from webhooks.tests.front.forms import field, file, form
from webhooks.tests.make import Sender
from webhooks.tests.test_intake import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "files"),
    [
        (b'{"a": 1}', "application/json", "", 0),
        (b"a=1&b=2", "application/x-www-form-urlencoded", "", 0),
        (b"<a>1</a>", "application/xml", "", 0),
        ("ü".encode("latin-1"), "text/plain; charset=latin1", "", 0),
        (gzip.compress(b'{"a": 1}'), "application/json", "gzip", 0),
        (form(field("a", "1"), file("f", "a.png", b"\x89PNG")), "multipart/form-data; boundary=XX", "", 1),
        (b"%PDF-1.7", "application/pdf", "", 1),
        (b"", "", "", 0),
    ],
    ids=["json", "form", "xml", "text", "gzip", "multipart", "bytes", "nothing"],
)
def test_twenty_copies_become_one(body, content_type, encoding, files):
    sender = Sender(make.endpoint())
    headers = {"Content-Encoding": encoding} if encoding else {}

    answers = in_parallel(
        20, lambda _: sender.send(body, delivery="d-1", content_type=content_type, headers=dict(headers))
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert len({answer.content for answer in answers}) == 1
    assert (Run.objects.count(), WebhookEvent.objects.count(), StoredFile.objects.count()) == (1, 1, files)
