"""GitHub's scheme, its own rules."""

import hashlib
import hmac

import pytest

from webhooks.signatures.contract import Attempt
from webhooks.signatures.github import SCHEME

SECRET = "a secret of thirty-two characters"
BODY = b'{"ref": "refs/heads/main"}'
DIGEST = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "signature_missing"),
        ("   ", "signature_missing"),
        (DIGEST, "signature_malformed"),
        (f"sha1={DIGEST}", "signature_malformed"),
        (f"SHA256={DIGEST}", "signature_malformed"),
        (f"sha256={DIGEST[:-1]}", "signature_malformed"),
        (f"sha256={DIGEST}00", "signature_malformed"),
        (f"sha256={DIGEST.upper()}", "signature_malformed"),
        (f"sha256= {DIGEST}", "signature_malformed"),
        ("sha256=" + "é" * 64, "signature_malformed"),
        ("sha256=" + "٣" * 64, "signature_malformed"),
        ("sha256=" + "0" * 64, "signature_wrong"),
    ],
)
def test_a_signature_that_is_not_exact_is_refused(header, code):
    verdict = SCHEME.verify(Attempt((SECRET,), {"x-hub-signature-256": header}, BODY, 0))

    assert (verdict.ok, verdict.code) == (False, code)


def test_the_old_sha1_header_proves_nothing():
    sha1 = hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest()

    verdict = SCHEME.verify(Attempt((SECRET,), {"x-hub-signature": f"sha1={sha1}"}, BODY, 0))

    assert (verdict.ok, verdict.code) == (False, "signature_missing")


def test_a_delivery_without_an_id_is_known_by_its_body():
    verdict = SCHEME.verify(Attempt((SECRET,), {"x-hub-signature-256": f"sha256={DIGEST}"}, BODY, 0))

    assert verdict.delivery_id == "body:" + hashlib.sha256(BODY).hexdigest()


def test_the_event_comes_from_its_header():
    assert SCHEME.event_type({"x-github-event": "pull_request"}, {"type": "ignored"}) == "pull_request"
