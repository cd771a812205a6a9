"""Rate limits at the API's door: classes, people, tenants, networks, and what callers are told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from brainops.accounts.models import Membership, Role
from brainops.accounts.services import api_keys
from brainops.accounts.tests.conftest import API, TEST, Api

READ, WRITE = "/me", "/auth/logout"


@pytest.fixture
def rates(settings: Any) -> Any:
    """Limits for this test: so many requests, and none comes back while it runs."""

    def give(**at_once: int) -> None:
        settings.BRAINOPS_RATE_BURST_SECONDS = 3600.0
        slow = {name: number / 3600 for name, number in at_once.items()}
        settings.BRAINOPS_RATES = {**settings.BRAINOPS_RATES, **slow}

    return give


def limit_of(response: Any) -> tuple[int, str, str]:
    body = response.json()
    return response.status_code, body["code"], body["limit"]["name"]


def test_answers_tell_every_limit_of_the_caller(ada, api, rates):
    rates(key_reads=3, user_reads=5, workspace_reads=9)

    response = api(ada).get(READ)

    assert response.headers["RateLimit-Policy"] == (
        '"key-reads";q=3;w=3600, "user-reads";q=5;w=3600, "workspace-reads";q=9;w=3600'
    )
    assert response.headers["RateLimit"] == (
        '"key-reads";r=2;t=1200, "user-reads";r=4;t=720, "workspace-reads";r=8;t=400'
    )


def test_a_key_beyond_its_limit_is_told_which_one_and_when_to_come_back(ada, api, rates):
    rates(key_reads=2)
    with_key = api(ada)

    responses = [with_key.get(READ) for _ in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 429]
    refused = responses[2]
    assert limit_of(refused) == (429, "rate_limited", "key-reads")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert 1790 <= int(refused.headers["Retry-After"]) <= 1800
    assert refused.headers["RateLimit"] == f'"key-reads";r=0;t={refused.headers["Retry-After"]}'
    assert refused.headers["RateLimit-Policy"] == '"key-reads";q=2;w=3600'


@pytest.mark.parametrize(
    ("name", "method", "address"),
    [("key_reads", "get", "/me"), ("key_writes", "post", "/auth/logout")],
)
def test_reads_and_writes_have_limits_of_their_own(ada, api, rates, name, method, address):
    rates(**{name: 1})
    with_key = api(ada)

    statuses = [getattr(with_key, method)(address).status_code for _ in range(2)]

    assert statuses[1] == 429
    other = with_key.post(WRITE) if name == "key_reads" else with_key.get(READ)
    assert other.status_code != 429


def test_a_user_cannot_get_more_by_making_more_keys(ada, api, rates):
    rates(user_reads=3)

    responses = [api(ada).get(READ) for _ in range(5)]

    assert [response.status_code for response in responses] == [200] * 3 + [429] * 2
    assert limit_of(responses[3]) == (429, "rate_limited", "user-reads")


def test_a_workspace_is_limited_whoever_calls_and_others_do_not_notice(ada, bob, eve, api, rates):
    rates(workspace_reads=2)

    responses = [api(ada).get(READ), api(bob, role=Role.VIEWER).get(READ), api(ada).get(READ)]

    assert [response.status_code for response in responses] == [200, 200, 429]
    assert limit_of(responses[2]) == (429, "rate_limited", "workspace-reads")
    assert api(eve).get(READ).status_code == 200


def test_one_user_in_two_workspaces_has_a_limit_in_each(ada, acme, umbrella, rates):
    Membership.objects.create(user=ada, workspace=umbrella, role=Role.OWNER)
    rates(user_reads=1)
    here, there = (
        Api(api_keys.issue(ada, home, name="test", role=Role.OWNER, scopes=["*"], by=TEST).text)
        for home in (acme, umbrella)
    )

    statuses = [one.get(READ).status_code for one in (here, here, there, there)]

    assert statuses == [200, 429, 200, 429]


def test_a_network_is_limited_before_anything_is_looked_up(ada, api, rates, django_assert_num_queries):
    rates(address_requests=2)
    stranger = Client(REMOTE_ADDR="192.0.2.7")

    statuses = [stranger.get(f"{API}{READ}").status_code for _ in range(2)]
    with django_assert_num_queries(0):
        refused = stranger.get(f"{API}{READ}", headers={"Authorization": "Bearer bo_nobody"})

    assert statuses == [401, 401]
    assert limit_of(refused) == (429, "rate_limited", "address-requests")
    assert api(ada).get(READ).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "statuses"),
    [
        (0, ["203.0.113.1", "203.0.113.2", "203.0.113.3"], [401, 401, 429]),  # nobody of ours wrote it
        (1, ["9.9.9.1, 203.0.113.1", "9.9.9.2, 203.0.113.1", "9.9.9.3, 203.0.113.1"], [401, 401, 429]),  # left: theirs
        (1, ["203.0.113.1", "203.0.113.2", "203.0.113.3"], [401, 401, 401]),  # our proxy saw three clients
    ],
)
def test_a_forged_forwarded_for_changes_nothing(db, rates, settings, proxies, forwarded, statuses):
    rates(address_requests=2)
    settings.BRAINOPS_TRUSTED_PROXIES = proxies

    answers = [Client(headers={"X-Forwarded-For": given}).get(f"{API}{READ}") for given in forwarded]

    assert [answer.status_code for answer in answers] == statuses


def test_an_ipv6_subscriber_is_one_network(db, rates):
    rates(address_requests=2)

    addresses = ["2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:1::3", "2001:db8:1:2::1"]
    statuses = [Client(REMOTE_ADDR=address).get(f"{API}{READ}").status_code for address in addresses]

    assert statuses == [401, 401, 429, 401]


def test_every_view_of_the_api_is_throttled_or_public():
    from django.urls import get_resolver
    from rest_framework.views import APIView

    from brainops.accounts.api.rates import CallerRate

    views = set()

    def walk(patterns: Any) -> None:
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns)
            elif isinstance(cls := getattr(pattern.callback, "cls", None), type) and issubclass(cls, APIView):
                views.add(cls)

    walk(get_resolver().url_patterns)

    assert len(views) > 20
    assert [view for view in views if CallerRate not in view.throttle_classes] == []


def test_a_rate_kind_is_one_that_has_limits(settings):
    from django.urls import get_resolver

    kinds = {
        kind
        for pattern in get_resolver().reverse_dict.keys()  # noqa: SIM118 - a MultiValueDict of its own
        if callable(pattern)
        for kind in getattr(getattr(pattern, "cls", None), "rate_kinds", {}).values()
    }

    known = {name.partition("_")[2] for name in settings.BRAINOPS_RATES if name.startswith("key_")}
    assert kinds <= known == {"reads", "writes", "starts", "transfers"}
