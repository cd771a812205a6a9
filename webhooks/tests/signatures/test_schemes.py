"""What every scheme owes: the contract, and no way around it."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks import signatures
from webhooks.signatures import all_schemes
from webhooks.signatures.contract import Attempt, Scheme

SIGNED = [scheme for scheme in all_schemes().values() if scheme.is_signed]
SIGNING = [scheme for scheme in SIGNED if scheme.sign]
BODY = b'{"type": "order.paid", "id": 7}'
NOW = 1_795_348_800


def signed(scheme: Scheme, secret: str, body: bytes = BODY, now: float = NOW) -> dict[str, str]:
    return scheme.sign(secret, body, "d-1", "push", now)


def test_the_schemes_of_this_folder():
    assert list(all_schemes()) == ["github", "none", "standard", "standard_ed25519"]


@pytest.mark.parametrize("scheme", SIGNING, ids=lambda scheme: scheme.key)
class TestASigningScheme:
    def test_verifies_what_it_signed(self, scheme):
        secret = scheme.new_secret()

        verdict = scheme.verify(Attempt((secret,), signed(scheme, secret), BODY, NOW))

        assert (verdict.ok, verdict.delivery_id) == (True, "d-1")

    def test_makes_secrets_that_it_takes_and_that_differ(self, scheme):
        first, second = scheme.new_secret(), scheme.new_secret()

        assert scheme.refusal_of(first) is None
        assert first != second

    def test_refuses_a_changed_body(self, scheme):
        secret = scheme.new_secret()

        verdict = scheme.verify(Attempt((secret,), signed(scheme, secret), BODY + b" ", NOW))

        assert (verdict.ok, verdict.code) == (False, "signature_wrong")

    def test_refuses_another_secret(self, scheme):
        headers = signed(scheme, scheme.new_secret())

        verdict = scheme.verify(Attempt((scheme.new_secret(),), headers, BODY, NOW))

        assert (verdict.ok, verdict.code) == (False, "signature_wrong")

    def test_takes_either_of_two_secrets_during_a_rotation(self, scheme):
        old, new = scheme.new_secret(), scheme.new_secret()

        verdicts = [scheme.verify(Attempt((new, old), signed(scheme, secret), BODY, NOW)) for secret in (old, new)]

        assert [verdict.ok for verdict in verdicts] == [True, True]

    def test_refuses_a_request_without_a_signature(self, scheme):
        verdict = scheme.verify(Attempt((scheme.new_secret(),), {}, BODY, NOW))

        assert (verdict.ok, verdict.code) == (False, "signature_missing" if scheme.key == "github" else "id_missing")

    @pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
    def test_refuses_everything_without_a_real_secret(self, scheme, secrets):
        headers = signed(scheme, scheme.new_secret())

        assert not scheme.verify(Attempt(secrets, headers, BODY, NOW)).ok

    @pytest.mark.parametrize("secret", ["", "short", "whsec_", "whsec_!!!!", "whsec_" + "A" * 16])
    def test_refuses_a_secret_that_is_too_short_or_broken(self, scheme, secret):
        assert scheme.refusal_of(secret)


HEADER_TEXT = st.text(st.characters(max_codepoint=0x2FF), max_size=80)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "x-hub-signature-256",
            "x-github-delivery",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "svix-signature",
        ]
    ),
    HEADER_TEXT | HEADER_TEXT.map("sha256={}".format) | HEADER_TEXT.map("v1,{}".format) | st.just(str(NOW)),
)


@pytest.mark.parametrize("scheme", SIGNED, ids=lambda scheme: scheme.key)
@given(headers=HEADERS, body=st.binary(max_size=200))
def test_nothing_made_up_is_ever_verified_and_nothing_raises(scheme, headers, body):
    secret = scheme.new_secret() if scheme.new_secret else "whpk_ZoX1pFpSt3gayt5lN2IvwrmAV9qt9wVpRs1g8YlmoUc="

    verdict = scheme.verify(Attempt((secret,), headers, body, NOW))

    assert not verdict.ok
    assert verdict.code
    assert verdict.message


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
