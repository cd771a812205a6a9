"""A JSON Web Token (RFC 7519) as bearer token. It proves the sender, not the body.

One algorithm is agreed, so nothing in the token can choose another. `exp` is required; audience and issuer are checked
when the options name them.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWTError, decode, encode

from webhooks.signatures.contract import Attempt, Draft, Options, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import new_text_secret
from webhooks.signatures.stamps import event_in_body
from webhooks.signatures.tokens import name_of

SHORTEST_KEY_BYTES = 32  # of HS256 (RFC 7518, 3.2)
LONGEST_TOKEN = 8192
SHARED = "HS256"
_UNTIMED: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}  # by our clock, below
_WANTED: dict[str, Any] = {**_UNTIMED, "require": ["exp"]}


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by its token."""
    name = name_of(attempt)
    kind, _, token = attempt.headers.get("authorization", "").strip().partition(" ")
    if kind.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
        return refused("signature_missing", "Header Authorization must hold Bearer and a token.", delivery_id=name)
    reasons = []
    for secret in filter(None, attempt.secrets):
        claims = claims_of(token.strip(), secret, attempt.options)
        if isinstance(claims, dict):
            return _on_time(claims, attempt, name) or verified(name)
        reasons.append(claims)
    reason = reasons[0] if reasons else "there is no key"
    return refused("signature_wrong", f"The token is not taken: {reason}.", delivery_id=name)


def claims_of(token: str, secret: str, options: Options) -> dict[str, Any] | str:
    """The claims of a token, or why it is not taken."""
    algorithm = str(options.get("algorithm") or SHARED)
    if (algorithm == SHARED) == secret.startswith("-----BEGIN"):
        return "the key is not of the agreed algorithm"
    try:
        return decode(
            token,
            secret,
            algorithms=[algorithm],
            audience=options.get("audience"),
            issuer=options.get("issuer"),
            options=_wanted(options),
        )
    except (PyJWTError, ValueError, TypeError) as error:
        return str(error).rstrip(".")[:100] or "it cannot be read"


def _wanted(options: Options) -> Any:
    """PyJWT's own options; it types them as a closed dictionary."""
    return {**_WANTED, "verify_aud": "audience" in options, "verify_iss": "issuer" in options}


def sign(draft: Draft) -> dict[str, str]:
    """The headers a sender would send. With a public key only the sender can."""
    claims = {"iat": int(draft.now), "exp": int(draft.now) + 60}
    claims |= {
        short: draft.options[name] for short, name in (("aud", "audience"), ("iss", "issuer")) if name in draft.options
    }
    token = encode(claims, draft.secret, algorithm=SHARED)
    return {"authorization": f"Bearer {token}", "webhook-id": draft.delivery_id}


def refusal_of(secret: str) -> str | None:
    """Refuse what is neither a long enough secret nor a public key in PEM."""
    if secret.startswith("-----BEGIN"):
        try:
            load_pem_public_key(secret.encode())
        except (ValueError, TypeError):
            return "This is no public key in PEM."
        return None
    size = len(secret.encode())
    return (
        None
        if size >= SHORTEST_KEY_BYTES
        else f"A key of HS256 has at least {SHORTEST_KEY_BYTES} bytes, this one {size}."
    )


def _on_time(claims: dict[str, Any], attempt: Attempt, name: str | None) -> Verdict | None:
    end, begin = claims.get("exp"), claims.get("nbf", 0)
    if not all(isinstance(moment, int | float) and not isinstance(moment, bool) for moment in (end, begin)):
        return refused("timestamp_malformed", "The token's exp and nbf must be numbers.", delivery_id=name)
    late, early = attempt.now - float(end), float(begin) - attempt.now  # type: ignore[arg-type]  # checked above
    if late > attempt.tolerance_seconds:
        return refused("too_old", f"The token ended {late:.0f} s ago.", delivery_id=name)
    if early > attempt.tolerance_seconds:
        return refused("too_new", f"The token begins in {early:.0f} s.", delivery_id=name)
    return None


SCHEME = Scheme(
    key="jwt",
    title="JSON Web Token",
    description="A token in Authorization: Bearer, signed with the secret (HS256) or the sender's key. It proves the "
    "sender, not the body; repeats are found by webhook-id or Idempotency-Key, if sent.",
    setup="Enter the address. With HS256 the sender signs with the secret; else send its public key in PEM as the "
    "secret.",
    verify=verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of,
    sign=sign,
    event_type=event_in_body,
    tolerance_seconds=30,
    options={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "algorithm": {
                "enum": [SHARED, "RS256", "PS256", "ES256", "EdDSA"],
                "title": "Algorithm",
                "description": "The only one that is taken. All but HS256 need the sender's public key as secret.",
                "default": SHARED,
            },
            "audience": {"type": "string", "title": "Audience (aud)", "minLength": 1, "maxLength": 500},
            "issuer": {"type": "string", "title": "Issuer (iss)", "minLength": 1, "maxLength": 500},
        },
    },
)
