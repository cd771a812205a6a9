"""Single sign-on to the API with a real provider, over HTTP and without a cookie."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from brainops.accounts.models import Identity, LoginSession, Membership, User
from brainops.accounts.services import second_factors
from brainops.accounts.tests.codes import code_of
from brainops.accounts.tests.conftest import API, Api
from brainops.accounts.tests.provider.browser import visit as go
from brainops.accounts.tests.sign_on.calls import ADA, CALLBACK, finish, outcome, post, start
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_the_providers_are_named_for_buttons(honest):
    assert Client().get(f"{API}/auth/oidc").json() == {"results": [{"id": "honest", "name": "Honest"}]}
    assert post("/auth/oidc/nobody/start").status_code == 404


def test_a_person_signs_in_to_the_api_without_a_cookie(ada, honest):
    begun = start()

    answer = finish(begun, go(begun["url"], name="u1", claims=ADA))

    assert answer.status_code == 200
    assert not answer.cookies
    assert Api(answer.json()["access"]).get("/me").json()["name"] == "ada@example.com"
    assert LoginSession.objects.get().amr == ["sso"]
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["user.link", "login.start"]


def test_the_address_carries_pkce_state_nonce_and_the_one_redirect_uri(honest):
    begun = start()

    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun["url"]).query).items()}

    assert set(begun) == {"url", "state", "ticket", "expires_in"}
    assert (asked["response_type"], asked["redirect_uri"], asked["state"]) == ("code", CALLBACK, begun["state"])
    assert (asked["code_challenge_method"], len(asked["code_challenge"]), len(asked["nonce"])) == ("S256", 43, 43)
    assert begun["ticket"] not in begun["url"]


def test_the_same_account_comes_back_to_the_same_user_whatever_its_address_is_now(ada, honest):
    for claims in (ADA, {"email": "ada.new@example.com", "email_verified": False}):
        begun = start()
        assert finish(begun, go(begun["url"], name="u2", claims=claims)).status_code == 200

    assert Identity.objects.get().user == ada
    assert LoginSession.objects.filter(user=ada).count() == 2


@pytest.mark.parametrize(
    "claims", [{**ADA, "email_verified": False}, {"email": "ada@example.com"}, {}, {**ADA, "email": ["x"]}]
)
def test_an_account_is_linked_by_a_verified_address_only(ada, honest, claims):
    begun = start()

    answer = finish(begun, go(begun["url"], name="u3", claims=claims))

    assert outcome(answer) == (401, "email_not_verified")
    assert Identity.objects.count() == 0


def test_a_second_account_with_a_users_address_does_not_get_the_user(ada, honest):
    outcomes = []
    for name in ("first", "second"):
        begun = start()
        outcomes.append(outcome(finish(begun, go(begun["url"], name=name, claims=ADA))))

    assert outcomes == [(200, None), (401, "no_account")]


def test_a_stranger_is_made_a_user_only_where_the_settings_say_so(use, issuer, acme):
    new = {"email": "new@example.com", "email_verified": True, "name": "New", "groups": ["ops", "builders"]}
    outcomes = []
    for options in (
        {},
        {"creates_users": True, "domains": ("example.org",)},
        {
            "creates_users": True,
            "domains": ("example.com",),
            "workspace": "acme",
            "role": "viewer",
            "role_claim": "groups",
            "roles": {"ops": "operator", "builders": "builder"},
        },
    ):
        use("honest", issuer, **options)
        begun = start()
        outcomes.append(outcome(finish(begun, go(begun["url"], name="u4", claims=new))))

    user = User.objects.get(email="new@example.com")
    assert outcomes == [(401, "no_account"), (401, "no_account"), (200, None)]
    assert (user.name, user.has_usable_password(), user.is_staff, user.is_superuser) == ("New", False, False, False)
    assert Membership.objects.get(user=user).role == "builder"


def test_a_user_who_was_switched_off_stays_out(ada, honest):
    begun = start()
    finish(begun, go(begun["url"], name="u5", claims=ADA))
    User.objects.filter(id=ada.id).update(is_active=False)

    begun = start()

    assert outcome(finish(begun, go(begun["url"], name="u5", claims=ADA))) == (401, "no_account")


def test_a_second_factor_set_up_here_is_asked_for_as_well(ada, honest):
    enrolment = second_factors.begin(ada)
    second_factors.confirm(ada, ticket=enrolment.ticket, code=code_of(enrolment.secret, steps=-1))
    begun = start()

    first = finish(begun, go(begun["url"], name="u6", claims=ADA))
    second = post("/auth/token/mfa", {"ticket": first.json()["ticket"], "code": code_of(enrolment.secret)})

    assert outcome(first) == (401, "mfa_required")
    assert (second.status_code, LoginSession.objects.get().amr) == (200, ["sso", "otp", "mfa"])


@pytest.mark.parametrize(("trusts", "amr"), [(False, ["sso"]), (True, ["sso", "mfa"])])
def test_a_second_factor_seen_by_the_provider_counts_where_the_settings_say_so(ada, use, issuer, trusts, amr):
    use("honest", issuer, trusts_mfa=trusts)
    begun = start()

    finish(begun, go(begun["url"], name="u7", claims={**ADA, "amr": ["pwd", "mfa"]}))

    assert LoginSession.objects.get().amr == amr
