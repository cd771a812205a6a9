"""What callers are told: the two fields and the refusal."""

from __future__ import annotations

import pytest

from brainops.core.errors import TooManyRequests
from brainops.core.ratelimit import rates
from brainops.core.ratelimit.buckets import Bucket, Standing, Verdict
from brainops.core.ratelimit.headers import rate_headers

KEY, HOME = Bucket("key-reads", "w:k", 1000, 5000), Bucket("workspace-reads", "w", 0.5, 2)


def test_every_policy_is_told_with_what_is_left():
    verdict = Verdict((Standing(KEY, 4999, 0.001), Standing(HOME, 0, 3.2)))

    assert rate_headers(verdict) == {
        "RateLimit-Policy": '"key-reads";q=5000;w=5, "workspace-reads";q=2;w=4',
        "RateLimit": '"key-reads";r=4999;t=1, "workspace-reads";r=0;t=4',
    }


def test_a_refusal_tells_the_limit_that_was_reached():
    verdict = Verdict((Standing(HOME, 0, 3.5),), HOME, 1.5)

    refusal = rates.refusal(verdict)

    assert (refusal.status, refusal.code) == (429, "rate_limited")
    assert refusal.headers == {
        "RateLimit-Policy": '"workspace-reads";q=2;w=4',
        "RateLimit": '"workspace-reads";r=0;t=2',
        "Retry-After": "2",
    }
    assert refusal.details == {
        "limit": {
            "name": "workspace-reads",
            "per_second": 0.5,
            "burst": 2,
            "setting": "BRAINOPS_RATE_WORKSPACE_READS_PER_SECOND",
        }
    }


def test_nothing_limited_is_nothing_told():
    assert rate_headers(Verdict()) == {}


def test_a_limit_of_the_settings_is_required_by_name(settings):
    settings.BRAINOPS_RATES = {**settings.BRAINOPS_RATES, "address_callbacks": 0.001}
    first, second = rates.bucket("address_callbacks", "192.0.2.1"), rates.bucket("address_callbacks", "192.0.2.2")

    assert [rates.require(one).refused for one in (first, second)] == [None, None]
    with pytest.raises(TooManyRequests):
        rates.require(first)
