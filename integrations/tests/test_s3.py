"""The bucket client against a real S3 server."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from brainops.core.egress import http
from brainops.core.egress.allow import parse_allow_list
from brainops.core.egress.errors import BlockedTarget
from brainops.core.egress.tests.servers import ScriptedServer, say_raw
from integrations.runner import s3
from integrations.runner.s3 import Bucket, S3Error, Stored
from integrations.runner.s3_signing import Credentials
from integrations.tests.s3_server import MANY, MANY_KEYS, s3_server

CREDENTIALS = Credentials("AKIDEXAMPLE", "s3cr3t-of-the-bucket", "us-east-1")
_names = itertools.count(1)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as found:
        yield found


@pytest.fixture
def client() -> Iterator[http.Client]:
    made = http.Client(parse_allow_list("127.0.0.1:*"))
    yield made
    made.pool.clear()


@pytest.fixture
def make_bucket(endpoint: str, client: http.Client) -> Callable[..., Bucket]:
    def make(**objects: bytes) -> Bucket:
        bucket = Bucket(f"bucket{next(_names)}", CREDENTIALS, endpoint=endpoint, path_style=True, send=client.send)
        bucket._request("PUT", "")
        for key, body in objects.items():
            bucket.put(key, body)
        return bucket

    return make


def test_objects_are_listed_read_copied_and_deleted(make_bucket):
    bucket = make_bucket(**{"in/a.csv": b"a,b\n1,2\n", "in/deep/b.csv": b"x" * 10, "out": b"-"})

    listed = list(bucket.objects("in/"))
    shallow = [found.key for found in bucket.objects("in/", delimiter="/")]
    first = listed[0]
    content = b"".join(bucket.read(first))
    bucket.copy(first, "done/ü 1+2%.csv")
    bucket.delete(first.key)

    assert [(found.key, found.size) for found in listed] == [("in/a.csv", 8), ("in/deep/b.csv", 10)]
    assert (shallow, content) == (["in/a.csv"], b"a,b\n1,2\n")
    assert first.modified_at is not None
    assert bucket.head("in/a.csv") is None
    assert bucket.head("done/ü 1+2%.csv") == Stored("done/ü 1+2%.csv", 8, first.etag)


@pytest.mark.parametrize("key", ["a b.csv", "ü/€.csv", "a+b%20c.csv", "..%2f/x", "tab\tin it", "quo'te\"<&>"], ids=str)
def test_any_key_comes_back_as_it_is(make_bucket, key):
    bucket = make_bucket(**{key: b"x"})

    [found] = bucket.objects("")

    assert (found.key, b"".join(bucket.read(found))) == (key, b"x")


def test_a_large_object_is_read_in_pieces(make_bucket, monkeypatch):
    monkeypatch.setattr(s3, "PIECE_BYTES", 1_000)
    bucket = make_bucket(large=bytes(range(256)) * 10)

    pieces = list(bucket.read(bucket.head("large")))

    assert ([len(piece) for piece in pieces], b"".join(pieces)) == ([1_000, 1_000, 560], bytes(range(256)) * 10)


def test_an_object_that_changed_is_not_read_as_the_one_that_was_found(make_bucket):
    bucket = make_bucket(a=b"one")
    found = bucket.head("a")
    bucket.put("a", b"two")

    with pytest.raises(S3Error) as refused:
        list(bucket.read(found))

    assert (refused.value.code, refused.value.status) == ("PreconditionFailed", 412)


def test_a_bucket_of_thousands_of_keys_is_listed_page_by_page(endpoint, client):
    bucket = Bucket(MANY, CREDENTIALS, endpoint=endpoint, path_style=True, send=client.send)

    assert [found.key for found in bucket.objects("in/")] == MANY_KEYS


def test_what_a_bucket_refuses_is_said_in_its_words(make_bucket):
    bucket = make_bucket()
    bucket.name = "missing"
    bucket._base = "/missing"

    with pytest.raises(S3Error) as refused:
        list(bucket.objects(""))

    assert (refused.value.code, refused.value.status) == ("NoSuchBucket", 404)
    assert refused.value.message == "The bucket answered 404 NoSuchBucket: The specified bucket does not exist"


@pytest.mark.parametrize(
    ("answer", "code", "wait"),
    [
        (b"HTTP/1.1 503 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", "HttpStatus", 7.0),
        (b"HTTP/1.1 403 x\r\nContent-Length: 5\r\n\r\n<html", "AccessDenied", None),
        (b'HTTP/1.1 200 x\r\nContent-Length: 44\r\n\r\n<!DOCTYPE x [<!ENTITY a "aaaaa">]><x>&a;</x>', "NoXml", None),
    ],
    ids=["busy", "proxy", "entity"],
)  # fmt: skip
def test_answers_that_are_none_are_refused(client, answer, code, wait):
    with ScriptedServer(say_raw(answer)) as server:
        bucket = Bucket("b", CREDENTIALS, endpoint=server.url(""), path_style=True, send=client.send)

        with pytest.raises(S3Error) as refused:
            list(bucket.objects(""))

    assert (refused.value.code, refused.value.retry_after_seconds) == (code, wait)


def test_a_bucket_of_the_virtual_host_style_is_a_name_before_the_endpoint():
    sent: list[Any] = []

    def send(request: http.Request) -> http.Answer:
        sent.append(request)
        return http.Answer(200, {}, b"<ListBucketResult/>", request.url)

    list(Bucket("orders", CREDENTIALS, endpoint="https://s3.eu-west-1.amazonaws.com", send=send).objects("in/"))

    assert sent[0].url == (
        "https://orders.s3.eu-west-1.amazonaws.com/?encoding-type=url&list-type=2&max-keys=1000&prefix=in%2F"
    )


def test_a_private_address_is_blocked(endpoint):
    closed = http.Client(parse_allow_list(""))
    bucket = Bucket("b", CREDENTIALS, endpoint=endpoint, path_style=True, send=closed.send)

    with pytest.raises(BlockedTarget):
        list(bucket.objects(""))


def test_a_bucket_that_lists_for_ever_is_left(monkeypatch):
    monkeypatch.setattr(s3, "MOST_PAGES", 3)
    page = b"<R><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken></R>"
    bucket = Bucket(
        "b", CREDENTIALS, endpoint="https://s3.example", send=lambda request: http.Answer(200, {}, page, request.url)
    )

    with pytest.raises(S3Error) as refused:
        list(bucket.objects(""))

    assert refused.value.code == "TooManyPages"
