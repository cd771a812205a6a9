"""What providers publish, ready deliveries, and vectors of our own get their verdict."""

from urllib.parse import urlsplit

import orjson
import pytest

from webhooks.signatures import all_schemes
from webhooks.signatures.contract import Attempt
from webhooks.tests import cases
from webhooks.tests.signatures.deliveries import attempt_of, scheme_of
from webhooks.tests.signatures.vectors import BODY, NOW, SECRET, VECTORS

SCHEME_OF = {"standard-webhooks": "standard"}


def judged(scheme, secret, headers, body, now, **more):
    lower = {name.lower(): value for name, value in headers.items()}
    return all_schemes()[scheme].verify(Attempt((secret,), lower, body, now, **more))


@pytest.mark.parametrize("vector", cases.rows("webhook_vectors.json"), ids=lambda row: row and row.get("note"))
def test_a_published_vector_gets_its_verdict(vector):
    verdict = judged(
        SCHEME_OF.get(vector["scheme"], vector["scheme"]),
        vector["secret"],
        vector["headers"],
        vector["body"].encode(),
        vector.get("now", 0),
    )

    assert verdict.ok is vector["valid"]


@pytest.mark.parametrize("vector", cases.rows("webhooks/vectors.json"), ids=lambda row: row and row["id"])
def test_a_vector_of_a_providers_own_library_is_verified(vector):
    headers = {**vector["headers"], "content-type": vector.get("content_type", "application/json")}
    secret, url = vector.get("secret") or vector["public_key"], vector.get("url", "")

    verdict = judged(
        SCHEME_OF.get(vector["provider"], vector["provider"]),
        secret,
        headers,
        vector["body"].encode(),
        vector.get("now", 0),
        url=url,
        query=urlsplit(url).query,
    )

    assert verdict.ok, verdict


@pytest.mark.parametrize("row", cases.rows("webhooks/deliveries.json"), ids=lambda row: row and row["id"])
def test_a_ready_delivery_gets_its_verdict(row):
    scheme, attempt = attempt_of(row)

    verdict = all_schemes()[scheme].verify(attempt)

    assert verdict.ok is (row["expect"] == "accept"), verdict


def test_every_scheme_of_the_ready_deliveries_is_ours():
    rows = cases.load("webhooks/deliveries.json") or []

    assert {scheme_of(row) for row in rows} <= set(all_schemes())


@pytest.mark.parametrize("scheme", VECTORS)
def test_a_signature_made_with_openssl_is_verified_and_no_other_body(scheme):
    headers, url, options, body = VECTORS[scheme]

    right = judged(scheme, SECRET, headers, body, NOW, url=url, options=options)
    wrong = judged(
        scheme, SECRET, headers, body.replace(b"1", b"3").replace(b"paid", b"lost"), NOW, url=url, options=options
    )
    other = judged(scheme, f"{SECRET}x", headers, body, NOW, url=url, options=options)

    assert [verdict.code for verdict in (right, wrong, other)] == ["", "signature_wrong", "signature_wrong"]


@pytest.mark.parametrize("scheme", sorted({"hubspot", "square", "trello", "twilio", "generic_hmac"}))
def test_the_address_is_part_of_what_is_signed(scheme):
    headers, url, options, body = VECTORS[scheme]

    assert judged(scheme, SECRET, headers, body, NOW, url=f"{url}&b=2", options=options).code == "signature_wrong"


def test_the_body_of_the_vectors_is_json_with_an_escape_and_a_line_break():
    assert orjson.loads(BODY) == {"type": "order.paid", "text": "café €"}


# The examples that both specifications print; they are short enough to stand here.
def test_the_example_of_githubs_documentation_is_verified():
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    verdict = judged("github", "It's a Secret to Everybody", {"X-Hub-Signature-256": signature}, b"Hello, World!", 0)

    assert verdict.ok


def test_the_example_of_standard_webhooks_is_verified():
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    verdict = judged("standard", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", headers, b'{"test": 2432232314}', 1614265330)

    assert verdict.ok
    assert verdict.delivery_id == "msg_p5jXN8AQM9LWM0D4loKWxJek"
