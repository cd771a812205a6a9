"""Idempotency keys."""

from automation.engine.idempotency import idempotency_key

RUN = "0198c0de-0000-7000-8000-000000000001"


def test_a_key_is_the_hmac_of_run_and_path():
    # printf '%s' '<run>|pay' | openssl dgst -sha256 -hmac secret -binary | basenc --base64url
    assert idempotency_key(b"secret", RUN, "pay") == "bo_nMwNHJbIPIYie2epReXinesiJH-dkONf5qhgCwGP2og"


def test_a_key_is_stable_and_differs_by_secret_run_and_path():
    keys = {
        idempotency_key(b"secret", RUN, "pay"),
        idempotency_key(b"other", RUN, "pay"),
        idempotency_key(b"secret", RUN[:-1] + "2", "pay"),
        idempotency_key(b"secret", RUN, "loop[1].pay"),
        idempotency_key(b"secret", RUN, "loop[11].pay"),
    }

    assert len(keys) == 5
    assert idempotency_key(b"secret", RUN, "pay") in keys


def test_a_key_fits_into_a_header():
    assert len(idempotency_key(b"s", RUN, "é" * 500)) == 46
