"""What every scheme owes: the contract, and no way around it."""

import ast
import hmac
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainops.core.schemas import Schema
from webhooks import signatures
from webhooks.signatures import all_schemes
from webhooks.signatures.contract import Attempt, Draft, Scheme, Verdict
from webhooks.signatures.digests import new_text_secret

SIGNED = [scheme for scheme in all_schemes().values() if scheme.is_signed]
SIGNING = [scheme for scheme in SIGNED if scheme.sign]
CARRYING = {"basic", "cloudevents", "gitlab", "header", "jwt"}  # a secret or token: they prove the sender, not the body
PROVING = [scheme for scheme in SIGNING if scheme.key not in CARRYING]
MAKING = [scheme for scheme in SIGNING if scheme.new_secret]
BODY = b'{"type": "order.paid", "id": 7}'
NOW = 1_795_348_800


def signed(scheme: Scheme, secret: str, body: bytes = BODY, now: float = NOW) -> dict[str, str]:
    return scheme.sign(Draft(secret, body, "d-1", "push", now))


def secret_for(scheme: Scheme) -> str:
    return (scheme.new_secret or new_text_secret)()


def test_the_schemes_of_this_folder():
    assert list(all_schemes()) == [
        *("aws_sns", "basic", "bitbucket", "calendly", "cloudevents", "discord", "docusign", "generic_hmac", "gitea"),
        *("github", "gitlab", "header", "hubspot", "intercom", "jira", "jwt", "linear", "mailgun", "meta"),
        *(
            "microsoft_graph",
            "none",
            "notion",
            "paddle",
            "paypal",
            "sendgrid",
            "shopify",
            "slack",
            "smartsheet",
            "square",
        ),
        *("standard", "standard_ed25519", "stripe", "trello", "twilio", "twitter", "typeform", "zendesk", "zoom"),
    ]


@pytest.mark.parametrize("scheme", all_schemes().values(), ids=lambda scheme: scheme.key)
def test_a_scheme_says_what_to_enter_where_and_declares_its_options(scheme):
    assert scheme.setup.endswith(".")
    assert scheme.description.endswith(".")
    assert scheme.options is None or Schema(scheme.options).problems([]) != ()
    assert (scheme.greet is None and not scheme.methods) or callable(scheme.greet)
    assert scheme.takes_secret or scheme.refusal_of("x" * 40)


@pytest.mark.parametrize("scheme", SIGNING, ids=lambda scheme: scheme.key)
class TestASigningScheme:
    def test_verifies_what_it_signed_and_names_it(self, scheme):
        secret = secret_for(scheme)
        headers = signed(scheme, secret)

        verdict = scheme.verify(Attempt((secret,), headers, BODY, NOW))

        assert (verdict.ok, verdict.code) == (True, "")
        assert ("d-1" in (verdict.delivery_id or "")) is ("d-1" in headers.values())

    def test_takes_either_of_two_secrets_during_a_rotation(self, scheme):
        old, new = secret_for(scheme), secret_for(scheme)

        verdicts = [scheme.verify(Attempt((new, old), signed(scheme, secret), BODY, NOW)) for secret in (old, new)]

        assert [verdict.ok for verdict in verdicts] == [True, True]

    def test_refuses_another_secret(self, scheme):
        headers = signed(scheme, secret_for(scheme))

        verdict = scheme.verify(Attempt((secret_for(scheme),), headers, BODY, NOW))

        assert (verdict.ok, verdict.code) == (False, "signature_wrong")

    def test_refuses_a_request_without_a_signature(self, scheme):
        verdict = scheme.verify(Attempt((secret_for(scheme),), {}, BODY, NOW))

        assert (verdict.ok, verdict.code) == (False, "id_missing" if scheme.key == "standard" else "signature_missing")

    @pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
    def test_refuses_everything_without_a_real_secret(self, scheme, secrets):
        headers = signed(scheme, secret_for(scheme))

        assert not scheme.verify(Attempt(secrets, headers, BODY, NOW)).ok

    @pytest.mark.parametrize(
        "text", ["", "é", "\u0130", "sha256=é", "t=é,v1=é", "Basic é", "Bearer é", "v1,é", "\ud800"]
    )
    def test_refuses_a_header_that_is_no_ascii(self, scheme, text):
        secret = secret_for(scheme)
        headers = dict.fromkeys(signed(scheme, secret), text)

        verdict = scheme.verify(Attempt((secret,), headers, BODY, NOW))

        assert (verdict.ok, bool(verdict.message)) == (False, True)


EMPTY_KEY = hmac.digest(b"", BODY, "sha256").hex()


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        ("github", {"x-hub-signature-256": f"sha256={EMPTY_KEY}"}),
        ("gitea", {"x-gitea-signature": EMPTY_KEY}),
        ("stripe", {"stripe-signature": f"t={NOW},v1={hmac.digest(b'', b'%d.' % NOW + BODY, 'sha256').hex()}"}),
        ("basic", {"authorization": "Basic d2ViaG9vazo="}),
        ("header", {"x-api-key": ""}),
        ("gitlab", {"x-gitlab-token": ""}),
        ("cloudevents", {"authorization": "Bearer "}),
    ],
)
@pytest.mark.parametrize("secrets", [(), ("",)])
def test_an_empty_key_opens_nothing(key, headers, secrets):
    assert not all_schemes()[key].verify(Attempt(secrets, headers, BODY, NOW)).ok


@pytest.mark.parametrize("scheme", PROVING, ids=lambda scheme: scheme.key)
def test_a_changed_body_is_refused(scheme):
    secret = secret_for(scheme)

    verdict = scheme.verify(Attempt((secret,), signed(scheme, secret), BODY + b" ", NOW))

    assert (verdict.ok, verdict.code) == (False, "signature_wrong")


TIMED = [scheme for scheme in PROVING if any(str(NOW) in value for value in signed(scheme, "s" * 40).values())]


@pytest.mark.parametrize("scheme", TIMED, ids=lambda scheme: scheme.key)
@pytest.mark.parametrize(("late", "code"), [(300, ""), (301, "too_old"), (-300, ""), (-301, "too_new")])
def test_a_signed_time_may_differ_by_the_tolerance_both_ways(scheme, late, code):
    secret = secret_for(scheme)

    verdict = scheme.verify(Attempt((secret,), signed(scheme, secret), BODY, NOW + late, 300))

    assert (verdict.ok, verdict.code) == (not code, code)


def test_these_schemes_sign_a_time():
    assert [scheme.key for scheme in TIMED] == ["calendly", "hubspot", "paddle", "slack", "standard", "stripe", "zoom"]


@pytest.mark.parametrize("scheme", MAKING, ids=lambda scheme: scheme.key)
class TestASchemeWhoseSecretWeMake:
    def test_makes_secrets_that_it_takes_and_that_differ(self, scheme):
        first, second = scheme.new_secret(), scheme.new_secret()

        assert scheme.refusal_of(first) is None
        assert first != second

    @pytest.mark.parametrize("secret", ["", "short", "whsec_", "whsec_!!!!", "whsec_" + "A" * 16])
    def test_refuses_a_secret_that_is_too_short_or_broken(self, scheme, secret):
        assert scheme.refusal_of(secret)


HEADER_TEXT = st.text(st.characters(max_codepoint=0x2FF), max_size=80)
FORMS = ("{}", "sha256={}", "sha1={}", "v0={}", "v1,{}", "t=1,v1={}", "ts=1;h1={}", "Basic {}", "Bearer {}")
KEYS = {
    "standard_ed25519": "whpk_ZoX1pFpSt3gayt5lN2IvwrmAV9qt9wVpRs1g8YlmoUc=",
    "discord": "a6fbf9fc39e1cd92a49b2e6860095d34a9047319ddd56904792e428da60f901b",
}
OTHERS = (
    *(
        "x-signature-ed25519",
        "x-signature-timestamp",
        "x-twilio-signature",
        "paypal-transmission-sig",
        "svix-signature",
    ),
    *("paypal-cert-url", "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"),
)
NAMES = sorted({name for scheme in SIGNING for name in signed(scheme, "s" * 40)}.union(OTHERS))
HEADERS = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(str.format, st.sampled_from(FORMS), HEADER_TEXT) | st.just(str(NOW)) | HEADER_TEXT,
    max_size=12,
)


@pytest.mark.parametrize("scheme", SIGNED, ids=lambda scheme: scheme.key)
@settings(max_examples=40)
@given(
    headers=HEADERS, body=st.binary(max_size=200), query=HEADER_TEXT, method=st.sampled_from(["POST", "GET", "HEAD"])
)
def test_nothing_made_up_is_ever_verified_and_nothing_raises(scheme, headers, body, query, method):
    attempt = Attempt(
        (KEYS.get(scheme.key, "s" * 40),), headers, body, NOW, method=method, query=query, url=f"http://h/?{query}"
    )

    verdict = scheme.verify(attempt)
    greeting = scheme.greet(attempt) if scheme.greet else None

    assert not verdict.ok
    assert verdict.code
    assert verdict.message
    assert greeting is None or not isinstance(greeting, Verdict) or not greeting.ok


def test_no_scheme_parses_or_writes_json():
    folder = Path(signatures.__file__).parent
    imported = {
        name.name.partition(".")[0]
        for file in folder.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }

    assert imported.isdisjoint({"json", "orjson", "rapidjson"})
