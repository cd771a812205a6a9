"""Encryption at rest: bound to its row, readable under every key of the ring, written under the first."""

import base64

import pytest

from brainops.core import crypto
from brainops.core.crypto import KeyRing
from brainops.core.errors import SecretUnreadable

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = "integrations_integration:6f1c:secret"


def test_a_secret_comes_back_as_it_was():
    ring = KeyRing({"a": OLD})

    assert (
        ring.decrypt(ring.encrypt("pa$$ wörd \U0001f511", associated=PLACE), associated=PLACE) == "pa$$ wörd \U0001f511"
    )


def test_the_stored_form_names_version_and_key_and_hides_the_text():
    stored = KeyRing({"a": OLD}).encrypt("correct horse", associated=PLACE)

    version, key_id, encoded = stored.split(".")
    raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    assert (version, key_id, len(raw)) == ("v1", "a", 12 + len("correct horse") + 16)  # nonce, text, tag
    assert b"correct" not in raw


def test_the_same_secret_is_never_stored_twice_in_the_same_form():
    ring = KeyRing({"a": OLD})

    assert len({ring.encrypt("secret", associated=PLACE) for _ in range(50)}) == 50


def test_a_new_key_in_front_encrypts_and_the_old_one_still_decrypts():
    old_form = KeyRing({"old": OLD}).encrypt("secret", associated=PLACE)
    ring = KeyRing({"new": NEW, "old": OLD})

    assert ring.decrypt(old_form, associated=PLACE) == "secret"
    assert not ring.is_current(old_form)
    assert ring.is_current(ring.encrypt("secret", associated=PLACE))


@pytest.mark.parametrize("place", ["integrations_integration:6f1d:secret", "users:6f1c:secret", ""])
def test_a_secret_copied_to_another_place_cannot_be_read(place):
    ring = KeyRing({"a": OLD})

    with pytest.raises(SecretUnreadable, match="was changed in the database"):
        ring.decrypt(ring.encrypt("secret", associated=PLACE), associated=place)


def test_a_changed_byte_is_noticed_wherever_it_is():
    ring = KeyRing({"a": OLD})
    stored = ring.encrypt("secret", associated=PLACE)

    for position in range(len("v1.a."), len(stored) - 1):  # the last character may hold unused bits
        changed = stored[:position] + ("A" if stored[position] != "A" else "B") + stored[position + 1 :]
        with pytest.raises(SecretUnreadable):
            ring.decrypt(changed, associated=PLACE)


def test_a_missing_key_is_named_with_the_way_out():
    stored = KeyRing({"lost": OLD}).encrypt("secret", associated=PLACE)

    with pytest.raises(SecretUnreadable) as refusal:
        KeyRing({"new": NEW}).decrypt(stored, associated=PLACE)

    assert refusal.value.message == (
        f"The secret of {PLACE} was encrypted with the key 'lost', which is not in BRAINOPS_ENCRYPTION_KEYS. "
        "Put the key back, or enter the secret again."
    )


@pytest.mark.parametrize("stored", ["", "v1", "v1.a", "v1.a.", "v1.a.AAAA", "v2.a.AAAA", "plain text", "v1.a.!!!!"])
def test_what_is_no_stored_form_is_refused(stored):
    with pytest.raises(SecretUnreadable):
        KeyRing({"a": OLD}).decrypt(stored, associated=PLACE)


def test_keys_of_different_purposes_differ_and_follow_the_secret(settings):
    settings.SECRET_KEY_FALLBACKS = ["an earlier secret"]

    tokens, chain = crypto.signing_keys("tokens"), crypto.lasting_keys("audit")

    assert (len(tokens), len(chain), len({*tokens, *chain})) == (2, 1, 3)
    assert {len(key) for key in (*tokens, *chain)} == {32}
