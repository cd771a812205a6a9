"""Filters between text and its encodings, and one-way digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac as hmac_module
from urllib.parse import quote, unquote_to_bytes

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.errors import Refusal
from automation.engine.expressions.filters.text import grown, read
from automation.engine.expressions.json_text import join_texts, to_text
from automation.engine.expressions.suggestions import closest
from automation.engine.expressions.syntax.literals import storable
from automation.engine.expressions.values import Json, text

_GROUP = "Encoding"
_ONE_ALPHABET = str.maketrans("-_", "+/", " \t\r\n")
_DIGESTS = ("sha256", "sha512", "sha384", "sha1", "md5")  # the last two only because old services ask for them


@declare(
    FILTERS,
    "urlencode",
    group=_GROUP,
    doc="Text for a place in a URL; an object becomes a query string.",
    examples=[
        Example("{{ 'a b&c/d'|urlencode }}", "a%20b%26c%2Fd"),
        Example("{{ {'q': 'x y', 'n': 1}|urlencode }}", "q=x%20y&n=1"),
    ],
)
def urlencode(value: Json, budget: Budget) -> Json:
    """Percent-encoded text (RFC 3986)."""
    if not isinstance(value, dict):
        return _quoted(to_text(value, budget), budget)
    budget.spend(len(value))
    return join_texts(
        [f"{_quoted(k, budget)}={_quoted(to_text(v, budget), budget)}" for k, v in value.items()], "&", budget
    )


@declare(
    FILTERS,
    "urldecode",
    group=_GROUP,
    doc="Text without percent signs; `+` stays.",
    examples=[Example("{{ 'a%20b'|urldecode }}", "a b")],
)
def urldecode(value: Json, budget: Budget) -> Json:
    """Percent-decoded text."""
    source = read(value, budget)
    budget.grow(50 * source.count("%"))  # each is a piece of its own for a moment
    return _decoded(unquote_to_bytes(source), value, budget)


@declare(
    FILTERS,
    "b64encode",
    group=_GROUP,
    doc="Base64 of the text as UTF-8; with `urlsafe` in the alphabet for URLs.",
    examples=[Example("{{ 'user:pass'|b64encode }}", "dXNlcjpwYXNz")],
)
def b64encode(value: Json, budget: Budget, urlsafe: Json = False) -> Json:
    """Base64 text (RFC 4648)."""
    raw = _bytes(read(value, budget))
    return grown((base64.urlsafe_b64encode(raw) if urlsafe else base64.b64encode(raw)).decode("ascii"), budget)


@declare(
    FILTERS,
    "b64decode",
    group=_GROUP,
    doc="The text that a Base64 text holds, of either alphabet, with or without padding.",
    examples=[Example("{{ 'dXNlcjpwYXNz'|b64decode }}", "user:pass"), Example("{{ 'eA'|b64decode }}", "x")],
)
def b64decode(value: Json, budget: Budget) -> Json:
    """Text of Base64; anything that is not Base64 of UTF-8 is refused."""
    source = read(value, budget).translate(_ONE_ALPHABET).rstrip("=")
    padded = source + "=" * (-len(source) % 4)
    try:
        raw = base64.b64decode(padded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Refusal("needs Base64", value=value) from error
    return _decoded(raw, value, budget)


@declare(
    FILTERS,
    "hash",
    group=_GROUP,
    doc="The digest of the text as UTF-8, in hexadecimal: sha256, sha512, sha384, sha1 or md5.",
    examples=[Example("{{ 'abc'|hash('md5') }}", "900150983cd24fb0d6963f7d28e17f72")],
)
def hash_(value: Json, budget: Budget, algorithm: Json = "sha256") -> Json:
    """One-way digest."""
    raw = _bytes(read(value, budget))
    return hashlib.new(_digest(algorithm), raw, usedforsecurity=False).hexdigest()


@declare(
    FILTERS,
    "hmac",
    group=_GROUP,
    doc="The keyed digest of the text as UTF-8, as `hex` or `base64`: to sign a request.",
    examples=[
        Example(
            "{{ 'what do ya want for nothing?'|hmac('Jefe') }}",  # RFC 4231, test case 2
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        )
    ],
)
def hmac(value: Json, budget: Budget, key: Json, algorithm: Json = "sha256", encoding: Json = "hex") -> Json:
    """Keyed digest (RFC 2104)."""
    raw, secret = _bytes(read(value, budget)), _bytes(text(key, "needs text for key"))
    budget.read(len(secret))
    digest = hmac_module.new(secret, raw, _digest(algorithm)).digest()
    if encoding not in ("hex", "base64"):
        raise Refusal("needs hex or base64 for encoding", value=encoding)
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode("ascii")


def _quoted(source: str, budget: Budget) -> str:
    budget.read(len(source) * 4)
    budget.grow(len(source) * 3)
    return quote(_bytes(source), safe="")


def _bytes(source: str) -> bytes:
    try:
        return source.encode()
    except UnicodeEncodeError:
        raise Refusal("the text has half of a surrogate pair") from None


def _decoded(raw: bytes, value: Json, budget: Budget) -> str:
    try:
        return grown(storable(raw.decode()), budget)
    except UnicodeDecodeError:
        raise Refusal("the bytes are not UTF-8 text", value=value) from None


def _digest(algorithm: Json) -> str:
    name = text(algorithm, "needs text for algorithm")
    if name not in _DIGESTS:
        listed = ", ".join(_DIGESTS)
        raise Refusal("knows no such algorithm", value=name, suggestion=closest(name, _DIGESTS), hint=f"Take {listed}.")
    return name
