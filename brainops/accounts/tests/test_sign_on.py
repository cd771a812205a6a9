"""Single sign-on with a real provider over HTTP, and with one that lies."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.test import Client

from brainops.accounts.models import Identity, LoginSession, Membership, OneTimeToken, User
from brainops.accounts.services import oidc_metadata, second_factors
from brainops.accounts.tests.conftest import API, PASSWORD, Api
from brainops.accounts.tests.provider import hostile as lies
from brainops.accounts.tests.provider.browser import visit as go
from brainops.accounts.tests.test_second_factors import code_of
from brainops.audit.models import AuditEntry
from brainops.core import clock
from brainops.core.identity_providers import Provider

pytestmark = pytest.mark.django_db

CALLBACK = "http://testserver/auth/oidc/callback"
SECRET = "a secret: of/the client"
ADA = {"email": "Ada@example.com", "email_verified": True, "name": "Ada L."}
SERVER = Path(__file__).parent / "provider" / "server.py"


@pytest.fixture(scope="module")
def issuer():
    """The address of a real provider in a process of its own."""
    command = [sys.executable, "-W", "ignore", str(SERVER), CALLBACK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/") as process:
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture
def use(settings):
    """Configure providers."""
    settings.BRAINOPS_PUBLIC_URL = "http://testserver"
    settings.BRAINOPS_OIDC_PROVIDERS = {}
    oidc_metadata.publisher.cache_clear()

    def configure(id_: str, issuer: str, **options):
        provider = Provider(
            id=id_, name=id_.title(), issuer=issuer, client_id="brainops", client_secret=SECRET, **options
        )
        settings.BRAINOPS_OIDC_PROVIDERS = {**settings.BRAINOPS_OIDC_PROVIDERS, id_: provider}
        return provider

    yield configure
    oidc_metadata.publisher.cache_clear()


@pytest.fixture
def honest(use, issuer) -> Provider:
    return use("honest", issuer)


@pytest.fixture
def liar(use):
    provider = lies.HostileProvider()
    use("liar", provider.issuer)
    yield provider
    provider.close()


def post(path, body=None):
    return Client().post(f"{API}{path}", body or {}, content_type="application/json")


def start(provider="honest"):
    answer = post(f"/auth/oidc/{provider}/start")
    assert answer.status_code == 200, answer.content
    return answer.json()


def finish(begun, answer, **changes):
    return post("/auth/oidc/token", {**answer, "ticket": begun["ticket"], **changes})


def outcome(answer):
    return answer.status_code, answer.json().get("code")


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


# --- attacks on the way


def test_a_state_of_somebody_else_is_refused_and_stays_good_for_them(ada, honest):
    mine, theirs = start(), start()
    answer = go(theirs["url"], name="u8", claims=ADA)

    stolen = finish(mine, answer)
    own = finish(theirs, answer)

    assert (outcome(stolen), outcome(own)) == ((401, "sign_on_failed"), (200, None))


def test_a_code_of_somebody_elses_visit_is_refused(ada, honest):
    mine, theirs = start(), start()
    code = go(theirs["url"], name="u9", claims=ADA)["code"]

    answer = finish(mine, {"state": mine["state"], "code": code, "iss": honest.issuer})

    assert outcome(answer) == (401, "sign_on_failed")  # another PKCE challenge


def test_an_answer_works_once(ada, honest):
    begun = start()
    answer = go(begun["url"], name="u10", claims=ADA)

    outcomes = [outcome(finish(begun, answer)) for _ in range(2)]

    assert outcomes == [(200, None), (401, "sign_on_failed")]


def test_a_code_that_was_used_at_the_provider_is_refused(ada, honest):
    begun = start()
    answer = go(begun["url"], name="u11", claims=ADA)
    row = OneTimeToken.objects.get()
    finish(begun, answer)
    row.save(force_insert=True)  # as if our own record of it were lost

    assert outcome(finish(begun, answer)) == (401, "sign_on_failed")


def test_a_token_made_for_another_visit_is_refused_by_its_nonce(ada, honest):
    begun = start()
    tampered = begun["url"].replace("nonce=", "nonce=other")

    assert outcome(finish(begun, go(tampered, name="u12", claims=ADA))) == (401, "sign_on_failed")


def test_a_visit_is_over_after_ten_minutes(ada, honest):
    begun = start()
    answer = go(begun["url"], name="u13", claims=ADA)
    OneTimeToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert outcome(finish(begun, answer)) == (401, "sign_on_failed")


@pytest.mark.parametrize("changes", [{"iss": "http://127.0.0.1:1"}, {"iss": ""}])
def test_an_answer_of_another_issuer_is_refused(ada, honest, changes):
    begun = start()

    answer = finish(begun, go(begun["url"], name="u14", claims=ADA), **changes)

    assert answer.status_code in (400, 401)


def test_an_answer_without_an_issuer_is_refused_where_the_provider_names_itself(ada, honest):
    begun = start()
    answer = go(begun["url"], name="u15", claims=ADA)
    del answer["iss"]

    assert outcome(finish(begun, answer)) == (401, "sign_on_failed")


def test_a_mixed_up_answer_never_reaches_the_other_providers_token_endpoint(ada, honest, liar):
    to_liar, to_honest = start("liar"), start("honest")
    code = go(to_honest["url"], name="u16", claims=ADA)

    answer = finish(to_liar, {**code, "state": to_liar["state"]})

    assert (outcome(answer), liar.hits["/token"]) == ((401, "sign_on_failed"), 0)


def test_a_visit_of_the_admin_is_none_of_the_api(ada, honest):
    client = Client()
    address = client.get("/auth/oidc/honest/begin").headers["Location"]
    answer = go(address, name="u17", claims=ADA)

    assert outcome(finish({"ticket": client.session["sign_on"]}, answer)) == (401, "sign_on_failed")


def test_visits_are_limited_by_network(honest):
    statuses = [post("/auth/oidc/honest/start").status_code for _ in range(31)]

    assert statuses == [200] * 30 + [429]


# --- a provider that lies


def nonce_of(begun) -> str:
    return parse_qs(urlsplit(begun["url"]).query)["nonce"][0]


def told(liar, begun, token):
    liar.tokens = {"id_token": token}
    return outcome(finish(begun, {"state": begun["state"], "code": "c"}))


def signed(claims, *, key=lies.KEY, algorithm="RS256", kid="one", **headers):
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid, **headers})


def test_a_good_token_is_taken(ada, liar):
    begun = start("liar")

    assert told(liar, begun, signed(liar.claims(nonce_of(begun)))) == (200, None)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in ("iss", "aud", "sub", "iat", "exp", "nonce")),
        {"iss": "https://other.example"},
        {"aud": "another client"},
        {"aud": ["brainops", "another client"]},
        {"aud": ["brainops", "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"exp": 1},
        {"exp": "9999999999"},
        {"iat": 9_999_999_999},
        {"nonce": "other"},
        {"nonce": ["x"]},
        {"sub": 7},
        {"sub": ""},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_or_missing_claim_is_refused(ada, liar, changes):
    begun = start("liar")

    assert told(liar, begun, signed(liar.claims(nonce_of(begun), **changes))) == (401, "sign_on_failed")


def forgeries(claims):
    good = signed(claims)
    head, body, signature = good.split(".")
    yield f"{lies.part({'alg': 'none'})}.{body}."
    yield f"{lies.part({'alg': 'HS256', 'kid': 'one'})}.{body}.{signature}"
    yield jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": "one"})
    yield jwt.encode(claims, SECRET * 2, algorithm="HS256")
    yield signed(claims, key=lies.OTHER_KEY)
    yield signed(claims, key=lies.OTHER_KEY, jwk=lies.public_jwk(lies.OTHER_KEY))
    yield signed(claims, key=lies.OTHER_KEY, jku="http://127.0.0.1/keys")
    yield signed(claims, kid="unknown")
    yield signed(claims, crit=["exp"])
    yield signed(claims, algorithm="PS256")  # not among what the provider says it uses
    yield f"{head}.{body}."
    yield f"{head}.{lies.part({**claims, 'email': 'eve@example.com'})}.{signature}"
    yield "x" * 20_000
    yield ""
    yield None
    yield {"not": "a text"}


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
@pytest.mark.parametrize("position", range(16))
def test_a_forged_token_is_refused_whatever_its_trick(ada, liar, position):
    begun = start("liar")
    forged = list(forgeries(liar.claims(nonce_of(begun))))

    assert (len(forged), told(liar, begun, forged[position])) == (16, (401, "sign_on_failed"))


def test_new_keys_of_the_provider_are_fetched_when_a_token_names_one(ada, liar):
    begun = start("liar")
    told(liar, begun, signed(liar.claims(nonce_of(begun))))
    published = oidc_metadata.publisher("liar", liar.issuer)
    published._keys = (published._keys[0] - 61, published._keys[1])
    liar.keys = [lies.public_jwk(lies.OTHER_KEY, kid="two")]

    begun = start("liar")
    token = signed(liar.claims(nonce_of(begun)), key=lies.OTHER_KEY, kid="two")

    assert told(liar, begun, token) == (200, None)


def test_a_missing_address_is_asked_for_and_must_be_the_same_persons(ada, liar):
    outcomes = []
    for subject in ("42", "another"):
        liar.userinfo = {"sub": subject, "email": "ada@example.com", "email_verified": True}
        begun = start("liar")
        token = signed(liar.claims(nonce_of(begun), email=None, email_verified=None))
        outcomes.append(told(liar, begun, token))

    assert outcomes == [(200, None), (401, "sign_on_failed")]


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_a_discovery_document_that_does_not_fit_is_not_used(liar, document):
    liar.document = document

    assert outcome(post("/auth/oidc/liar/start")) == (503, "identity_provider_away")


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/token", "http://10.0.0.1/token", "http://127.0.0.1:1/token"]
)
def test_an_endpoint_inside_the_network_is_not_called(ada, liar, address):
    liar.document = {"token_endpoint": address}
    begun = start("liar")

    assert told(liar, begun, "x") == (503, "identity_provider_away")


def test_a_provider_that_is_away_says_so_and_lets_nobody_in(use):
    use("gone", "http://127.0.0.1:1")

    assert outcome(post("/auth/oidc/gone/start")) == (503, "identity_provider_away")


# --- in the admin


@pytest.fixture
def root(db) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD)


ROOT = {"email": "root@example.com", "email_verified": True}


def come_back(client, answer):
    return client.get("/auth/oidc/callback", dict(answer))


def test_the_login_page_shows_a_button_that_leads_to_the_admin_and_back(root, honest):
    client = Client()
    login = client.get("/admin/login/?next=/admin/accounts/user/").content.decode()
    begun = client.get("/auth/oidc/honest/begin?next=/admin/accounts/user/")

    answer = come_back(client, go(begun.headers["Location"], name="r1", claims=ROOT))

    assert "/auth/oidc/honest/begin?next=/admin/accounts/user/" in login
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/accounts/user/")
    assert client.get("/admin/accounts/user/").status_code == 200
    assert client.session["amr"] == ["sso"]


def test_an_answer_in_another_browser_logs_nobody_in(root, honest):
    mine, victim = Client(), Client()
    begun = mine.get("/auth/oidc/honest/begin")

    answer = come_back(victim, go(begun.headers["Location"], name="r2", claims=ROOT))

    assert answer.headers["Location"] == "/admin/login/"
    assert victim.get("/admin/").status_code == 302


def test_a_person_who_is_no_staff_does_not_get_into_the_admin(ada, honest):
    client = Client()
    begun = client.get("/auth/oidc/honest/begin")

    answer = come_back(client, go(begun.headers["Location"], name="r3", claims=ADA))

    assert answer.headers["Location"] == "/admin/login/"
    assert "may not open the admin" in client.get("/admin/login/").content.decode()


def test_the_code_is_asked_for_after_the_provider_as_well(root, honest):
    enrolment = second_factors.begin(root)
    second_factors.confirm(root, ticket=enrolment.ticket, code=code_of(enrolment.secret, steps=-1))
    client = Client()
    begun = client.get("/auth/oidc/honest/begin")

    first = come_back(client, go(begun.headers["Location"], name="r4", claims=ROOT))
    second = client.post("/admin/login/code/", {"code": code_of(enrolment.secret)})

    assert (first.headers["Location"], second.headers["Location"]) == ("/admin/login/code/", "/admin/")
    assert client.session["amr"] == ["sso", "otp", "mfa"]


@pytest.mark.parametrize(
    "answer", [{}, {"state": "x" * 43, "code": "c"}, {"state": "\0", "code": "\0"}, {"error": "access_denied"}]
)
def test_an_answer_that_belongs_to_no_visit_leads_back_to_the_login(honest, answer):
    assert come_back(Client(), answer).headers["Location"] == "/admin/login/"


def test_the_answer_for_a_program_is_shown_to_the_person_and_uses_nothing_up(ada, honest):
    begun = start()
    answer = go(begun["url"], name="r5", claims=ADA)

    page = come_back(Client(), answer)

    assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert all(text in page.content.decode() for text in answer.values())
    assert finish(begun, answer).status_code == 200


def test_an_account_is_unlinked_in_the_admin_and_its_logins_end(root, ada, honest):
    begun = start()
    api = Api(finish(begun, go(begun["url"], name="old", claims=ADA)).json()["access"])
    client = Client()
    client.force_login(root)
    form = {"action": "unlink", "_selected_action": [str(Identity.objects.get().id)]}

    client.post("/admin/accounts/identity/", form)
    begun = start()
    answer = finish(begun, go(begun["url"], name="new", claims=ADA))

    assert (api.get("/me").status_code, answer.status_code) == (401, 200)
    assert AuditEntry.objects.get(action="user.unlink").actor_label == "root@example.com"
