"""The Standard Webhooks schemes, their own rules."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from webhooks.signatures import standard, standard_ed25519
from webhooks.signatures.contract import Attempt, Draft

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = b'{"type":"order.paid"}'
NOW = 1_795_348_800
HEADERS = standard.sign(Draft(SECRET, BODY, "msg_1", "", NOW))


def judged(headers, *, now=NOW, secret=SECRET, body=BODY):
    return standard.verify(Attempt((secret,), headers, body, now))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(300, ""), (301, "too_old"), (-300, ""), (-301, "too_new"), (10**9, "too_old")],
)
def test_the_timestamp_may_differ_by_three_hundred_seconds_both_ways(seconds, code):
    assert judged(HEADERS, now=NOW + seconds).code == code


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"webhook-id": ""}, "id_missing"),
        ({"webhook-id": "msg_2"}, "signature_wrong"),
        ({"webhook-timestamp": ""}, "timestamp_missing"),
        ({"webhook-timestamp": "soon"}, "timestamp_malformed"),
        ({"webhook-timestamp": f"{NOW}.0"}, "timestamp_malformed"),
        ({"webhook-timestamp": f"0{NOW}"}, "timestamp_malformed"),
        ({"webhook-timestamp": "-5"}, "timestamp_malformed"),
        ({"webhook-timestamp": "9" * 400}, "timestamp_malformed"),
        ({"webhook-timestamp": "١٧٩٥٣٤٨٨٠٠"}, "timestamp_malformed"),
        ({"webhook-timestamp": str(NOW + 1)}, "signature_wrong"),
        ({"webhook-signature": ""}, "signature_missing"),
        ({"webhook-signature": "v1"}, "signature_malformed"),
        ({"webhook-signature": "v1,"}, "signature_malformed"),
        ({"webhook-signature": "v1,####"}, "signature_malformed"),
        ({"webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v1a,")}, "signature_malformed"),
        ({"webhook-signature": HEADERS["webhook-signature"].rstrip("=")}, "signature_malformed"),
        ({"webhook-signature": "v1,AAAA"}, "signature_wrong"),
    ],
)
def test_a_stamp_that_is_not_exact_is_refused(changed, code):
    verdict = judged(HEADERS | changed)

    assert (verdict.ok, verdict.code) == (False, code)


def test_one_right_signature_among_several_is_enough():
    several = f"v1,AAAA v1a,BBBB {HEADERS['webhook-signature']} v2,CCCC"

    assert judged(HEADERS | {"webhook-signature": several}).ok


def test_a_flood_of_signatures_is_not_read_to_its_end():
    flood = "v1,AAAA " * 10_000 + HEADERS["webhook-signature"]

    assert judged(HEADERS | {"webhook-signature": flood}).code == "signature_wrong"


def test_the_names_of_svix_mean_the_same():
    renamed = {name.replace("webhook-", "svix-"): value for name, value in HEADERS.items()}

    assert judged(renamed).ok


def test_an_old_delivery_with_a_wrong_signature_is_told_about_the_signature_only():
    assert judged(HEADERS | {"webhook-signature": "v1,AAAA"}, now=NOW + 10_000).code == "signature_wrong"


def test_a_public_key_verifies_what_its_private_key_signed():
    private = Ed25519PrivateKey.generate()
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = base64.b64encode(private.sign(b"msg_1.%d." % NOW + BODY)).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": f"v1a,{signature}"}
    key = "whpk_" + base64.b64encode(raw).decode()

    verdicts = [standard_ed25519.verify(Attempt((key,), headers, body, NOW)) for body in (BODY, BODY + b"\n")]

    assert standard_ed25519.refusal_of(key) is None
    assert [verdict.code for verdict in verdicts] == ["", "signature_wrong"]


@pytest.mark.parametrize("key", ["", "whpk_", "whpk_AAAA", SECRET])
def test_what_is_no_public_key_is_refused(key):
    assert standard_ed25519.refusal_of(key)
