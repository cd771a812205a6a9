"""What providers publish, and ready deliveries, get the published verdict."""

import pytest

from webhooks.signatures import all_schemes
from webhooks.signatures.contract import Attempt
from webhooks.tests import cases

SCHEME_OF = {"github": "github", "standard-webhooks": "standard"}


def judged(scheme, secret, headers, body, now):
    lower = {name.lower(): value for name, value in headers.items()}
    return all_schemes()[scheme].verify(Attempt((secret,), lower, body, now))


@pytest.mark.parametrize(
    "vector", cases.rows("webhook_vectors.json", scheme=tuple(SCHEME_OF)), ids=lambda row: row and row.get("note")
)
def test_a_published_vector_gets_its_verdict(vector):
    verdict = judged(
        SCHEME_OF[vector["scheme"]], vector["secret"], vector["headers"], vector["body"].encode(), vector.get("now", 0)
    )

    assert verdict.ok is vector["valid"]


@pytest.mark.parametrize(
    "row", cases.rows("webhooks/deliveries.json", provider=tuple(SCHEME_OF)), ids=lambda row: row and row["id"]
)
def test_a_ready_delivery_gets_its_verdict(row):
    is_public_key = "public_key" in row["config"]
    scheme = "standard_ed25519" if is_public_key else SCHEME_OF[row["provider"]]
    key = row["config"].get("public_key") or row["config"]["secret"]

    verdict = judged(scheme, key, row["headers"], cases.body_of(row), row["now"])

    assert verdict.ok is (row["expect"] == "accept"), verdict


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
