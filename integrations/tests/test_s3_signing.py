"""Signatures against AWS's own examples, and against botocore where AWS has none."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials

from integrations.runner import s3_signing
from integrations.runner.s3_signing import NO_BODY, Credentials, encoded_path, encoded_query, signed_headers

# "Authenticating Requests: Using the Authorization Header", AWS S3 API reference
EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
DAY = datetime(2013, 5, 24, tzinfo=UTC)
HOST = "examplebucket.s3.amazonaws.com"
WELCOME = hashlib.sha256(b"Welcome to Amazon S3.").hexdigest()
PUT_HEADERS = {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "signature"),
    [
        (
            "GET",
            "/test.txt",
            {},
            {"Range": "bytes=0-9"},
            NO_BODY,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test$file.text",
            {},
            PUT_HEADERS,
            WELCOME,
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "/",
            {"lifecycle": ""},
            {},
            NO_BODY,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "/",
            {"max-keys": "2", "prefix": "J"},
            {},
            NO_BODY,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
    ids=["get", "put", "lifecycle", "list"],
)
def test_the_published_examples_of_s3(method, path, query, headers, body, signature):
    sent = signed_headers(
        EXAMPLE, method, host=HOST, path=path, query=query, headers=headers, body_sha256=body, now=DAY
    )

    assert sent["Authorization"].rpartition("Signature=")[2] == signature


def test_the_published_example_of_any_service():
    """`get-vanilla` of the AWS Signature Version 4 test suite."""
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", service="service")
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)

    sent = signed_headers(
        credentials, "GET", host="example.amazonaws.com", path="/", query={}, headers={}, body_sha256=NO_BODY, now=now
    )

    assert sent == {
        "x-amz-date": "20150830T123600Z",
        "Authorization": (
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"
            "SignedHeaders=host;x-amz-date,"
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
    }


@pytest.mark.parametrize(
    "path",
    ["/plain.txt", "/a b+c~d/ü€.csv", "/percent%20/25%", "/a//b/../c/./", "/nl\n\x01", "/quo'te(1)*!$&,;=:@"],
    ids=["plain", "space", "percent", "dots", "control", "marks"],
)
def test_any_key_is_signed_as_botocore_signs_it(path, monkeypatch):
    now = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: now.replace(tzinfo=None))
    query = {"list-type": "2", "prefix": path, "continuation-token": "a+/="}
    url = f"https://{HOST}{encoded_path(path)}?{encoded_query(query)}"
    theirs = AWSRequest("GET", url, headers={"Range": "bytes=0-9"})
    S3SigV4Auth(TheirCredentials(EXAMPLE.key_id, EXAMPLE.secret, "token"), "s3", "eu-west-1").add_auth(theirs)

    mine = signed_headers(
        Credentials(EXAMPLE.key_id, EXAMPLE.secret, "eu-west-1", "token"),
        "GET",
        host=HOST,
        path=path,
        query=query,
        headers={"Range": "bytes=0-9"},
        body_sha256=NO_BODY,
        now=now,
    )

    assert theirs.headers["Authorization"].rpartition("=")[2] == mine["Authorization"].rpartition("=")[2]


def test_a_secret_is_not_shown():
    assert EXAMPLE.secret not in repr(EXAMPLE)
    assert s3_signing.Credentials("id", "s", "r", "tok") == Credentials("id", "s", "r", "tok")
