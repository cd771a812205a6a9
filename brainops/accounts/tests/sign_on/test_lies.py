"""A provider that lies: forged tokens, wrong claims, endpoints where they must not be."""

import socket
import threading
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from brainops.accounts.services import oidc_metadata
from brainops.accounts.tests.provider import hostile as lies
from brainops.accounts.tests.sign_on.calls import SECRET, finish, outcome, post, start

pytestmark = pytest.mark.django_db


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


def test_a_provider_that_is_away_is_not_asked_by_everybody_in_turn(use):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        asked = []

        def hang_up():
            with suppress(OSError):  # closed at the end of the test
                while True:
                    asked.append(server.accept()[0].close())

        threading.Thread(target=hang_up, daemon=True).start()
        use("gone", f"http://127.0.0.1:{port}")

        answers = [outcome(post("/auth/oidc/gone/start")) for _ in range(3)]
        server.shutdown(socket.SHUT_RDWR)

    assert (answers, len(asked)) == ([(503, "identity_provider_away")] * 3, 1)
