"""Identity providers in the environment: read typed, refused with their reasons, secrets never repeated."""

import json

import pytest

from brainops.core.environment import Environment
from brainops.core.identity_providers import Provider, read_providers

GOOD = {"id": "sso", "issuer": "https://id.example.com", "client_id": "brainops", "client_secret": "very-secret"}


def read(**variables):
    env = Environment(variables)
    return read_providers(env), env.problems


def test_without_a_variable_there_is_none():
    assert read() == ({}, [])


def test_one_provider_needs_three_variables():
    found, problems = read(
        BRAINOPS_OIDC_ISSUER="https://id.example.com",
        BRAINOPS_OIDC_CLIENT_ID="brainops",
        BRAINOPS_OIDC_CLIENT_SECRET="very-secret",
        BRAINOPS_OIDC_NAME="Example",
        BRAINOPS_OIDC_DOMAINS="Example.com, example.org",
        BRAINOPS_OIDC_CREATES_USERS="yes",
    )

    assert problems == []
    assert found == {
        "sso": Provider(
            id="sso",
            name="Example",
            issuer="https://id.example.com",
            client_id="brainops",
            client_secret="very-secret",
            domains=("example.com", "example.org"),
            creates_users=True,
        )
    }


def test_several_stand_in_a_list():
    entries = [
        {**GOOD, "id": "a", "workspace": "main", "role_claim": "groups", "roles": {"ops": "operator"}},
        {**GOOD, "id": "b-2", "name": "Bee", "issuer": "http://127.0.0.1:8080/realm", "trusts_mfa": True},
    ]

    found, problems = read(BRAINOPS_OIDC=json.dumps(entries))

    assert problems == []
    assert [(each.id, each.name, each.roles, each.trusts_mfa) for each in found.values()] == [
        ("a", "A", {"ops": "operator"}, False),
        ("b-2", "Bee", {}, True),
    ]
    assert "very-secret" not in repr(found)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"issuer": "http://id.example.com"}, "must have an https:// issuer"),
        ({"issuer": "https://user@id.example.com"}, "must have an https:// issuer"),
        ({"issuer": "https://id.example.com?x=1"}, "must have an https:// issuer"),
        ({"issuer": ""}, "has no issuer"),
        ({"client_id": ""}, "has no client_id"),
        ({"id": "Big Id"}, "must have an id of small letters"),
        ({"id": "a/b"}, "must have an id of small letters"),
        ({"colour": "red"}, "has the unknown key 'colour'"),
        ({"creates_users": "yes"}, "must give creates_users as a bool"),
        ({"role": "king", "workspace": "main"}, "names the role 'king'"),
        ({"role": "viewer"}, "gives a role but names no workspace"),
        ({"roles": {"a": "viewer"}, "workspace": "main"}, "has roles but no role_claim"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_without_the_secret(change, reason):
    found, problems = read(BRAINOPS_OIDC=json.dumps([{**GOOD, **change}]))

    assert found == {}
    assert len(problems) == 1
    assert problems[0].startswith(f"BRAINOPS_OIDC entry 1 {reason}")
    assert "very-secret" not in problems[0]


@pytest.mark.parametrize("text", ["not json", "{}", '"x"'])
def test_what_is_no_list_is_refused(text):
    assert read(BRAINOPS_OIDC=text) == ({}, ["BRAINOPS_OIDC must be a JSON list of objects, one for each provider."])


def test_what_is_no_object_and_what_comes_twice_is_refused():
    _, problems = read(BRAINOPS_OIDC=json.dumps(["x", GOOD, GOOD]))

    assert problems == ["BRAINOPS_OIDC entry 1 has no id.", "BRAINOPS_OIDC entry 3 repeats the id 'sso'."]
