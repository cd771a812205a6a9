"""A security key made of software: it answers what a browser with a key would answer."""

import json
import os
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

TOUCHED = AuthenticatorData.FLAG.UP


class SoftKey:
    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.id = os.urandom(16)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict, **changes) -> str:
        asked = options["publicKey"]
        client = self._client("webauthn.create", asked["challenge"])
        public = AttestedCredentialData.create(
            Aaguid.NONE, self.id, ES256.from_cryptography_key(self._key.public_key())
        )
        said = AuthenticatorData.create(
            sha256(asked["rp"]["id"].encode()).digest(), TOUCHED | AuthenticatorData.FLAG.AT, 0, public
        )
        made = AttestationObject.create("none", said, {})
        return self._answer({"clientDataJSON": client, "attestationObject": made}, **changes)

    def get(self, options: dict, **changes) -> str:
        asked = options["publicKey"]
        client = self._client("webauthn.get", asked["challenge"])
        said = AuthenticatorData.create(sha256(asked["rpId"].encode()).digest(), TOUCHED, 1)
        signature = self._key.sign(said + client.hash, ec.ECDSA(SHA256()))
        return self._answer({"clientDataJSON": client, "authenticatorData": said, "signature": signature}, **changes)

    def _client(self, type_: str, challenge: str) -> CollectedClientData:
        return CollectedClientData.create(type_, challenge, self.origin)

    def _answer(self, response: dict, **changes) -> str:
        name = websafe_encode(self.id)
        whole = {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {member: websafe_encode(value) for member, value in response.items()},
            "clientExtensionResults": {},
            **changes,
        }
        return json.dumps(whole)
