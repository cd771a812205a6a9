"""A provider that lies: it serves whatever discovery document, keys and ID token a test gives it, and counts."""

import base64
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_jwk(key=KEY, **members) -> dict:
    return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": "one", "use": "sig", **members}


def part(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class HostileProvider:
    def __init__(self) -> None:
        self.hits = Counter()
        self.keys = [public_jwk()]
        self.document = {}
        self.tokens = {}
        self.userinfo = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._answer()

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self._answer()

            def _answer(self):
                provider.hits[self.path] += 1
                body = json.dumps(provider.pages()[self.path]).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def pages(self) -> dict:
        discovery = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        return {
            "/.well-known/openid-configuration": {**discovery, **self.document},
            "/jwks": {"keys": self.keys},
            "/token": {"access_token": "a", "token_type": "Bearer", **self.tokens},
            "/userinfo": self.userinfo,
        }

    def claims(self, nonce: str, /, **changes) -> dict:
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": "brainops",
            "sub": "42",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": "ada@example.com",
            "email_verified": True,
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
