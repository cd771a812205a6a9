"""Any HMAC: header, prefix, algorithm, encoding and what is signed are options of the endpoint.

The text that is signed is a template of `{body}`, `{timestamp}`, `{id}`, `{method}` and `{url}`. It has to hold the
body, since else anything could be sent under an old signature.
"""

from __future__ import annotations

import re
from functools import lru_cache

from webhooks.signatures.contract import Attempt, Draft, Options, Scheme, Verdict
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.generic_options import DEFAULT_HEADER, OPTIONS
from webhooks.signatures.moments import Unit
from webhooks.signatures.recipe import Encoding, Recipe, decode
from webhooks.signatures.stamps import event_in_body

_PLACE = re.compile(r"\{(\w*)\}")
PLACES = ("body", "timestamp", "id", "method", "url")


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery as the options say."""
    return recipe_of(attempt.options).verify(attempt)


def sign(draft: Draft) -> dict[str, str]:
    """The headers a sender would send."""
    return recipe_of(draft.options).sign(draft)


def recipe_of(options: Options) -> Recipe:
    """The options as a recipe."""
    template = template_of(options)
    id_header = options.get("id_header")

    def content(attempt: Attempt, timestamp: str) -> bytes:
        return filled(template, attempt, timestamp, id_header)

    encoding: Encoding = options.get("encoding", "hex")
    unit: Unit = options.get("timestamp_unit", "seconds")
    return Recipe(
        options.get("header", DEFAULT_HEADER),
        encoding,
        options.get("algorithm", "sha256"),
        options.get("prefix", ""),
        content,
        options.get("timestamp_header"),
        unit,
        id=id_header,
        key=_KEYS[options.get("secret_encoding", "text")],
        names_all=True,
    )


def template_of(options: Options) -> str:
    """What is signed: with a timestamp header the time, a dot and the body."""
    default = "{timestamp}.{body}" if options.get("timestamp_header") else "{body}"
    return str(options.get("template") or default)


def filled(template: str, attempt: Attempt, timestamp: str, id_header: str | None) -> bytes:
    """The template with the request's parts."""
    parts = {
        "body": attempt.body,
        "timestamp": timestamp.encode(errors="replace"),
        "id": attempt.headers.get(id_header.lower(), "").encode(errors="replace") if id_header else b"",
        "method": attempt.method.encode(),
        "url": attempt.url.encode(errors="replace"),
    }
    return b"".join(parts[piece] if is_place else piece.encode() for is_place, piece in pieces(template))


@lru_cache(maxsize=256)
def pieces(template: str) -> tuple[tuple[bool, str], ...]:
    """The template in pieces: `(is a place, its name or the text between)`."""
    split = _PLACE.split(template)
    return tuple((number % 2 == 1, piece) for number, piece in enumerate(split) if piece)


def refusal_of_options(options: Options) -> str | None:
    """Refuse a template that leaves the body out, or names what no header brings."""
    named = {piece for is_place, piece in pieces(template_of(options)) if is_place}
    if unknown := named.difference(PLACES):
        return f"The template knows {', '.join(f'{{{place}}}' for place in PLACES)}, not {{{min(unknown)}}}."
    if "body" not in named:
        return "The template must hold {body}: else the body is not signed, and any other could be sent in its place."
    for place, option in (("timestamp", "timestamp_header"), ("id", "id_header")):
        if place in named and not options.get(option):
            return f"The template holds {{{place}}}; name the header it comes in as {option}."
    if options.get("timestamp_header") and "timestamp" not in named:
        return "The template leaves {timestamp} out, so nothing proves the time. Add it, or remove timestamp_header."
    return None


_KEYS = {"text": str.encode, "hex": lambda text: decode(text, "hex"), "base64": lambda text: decode(text, "base64")}

SCHEME = Scheme(
    key="generic_hmac",
    title="HMAC, as you like",
    description="HMAC over the raw body or a template, with your choice of header, algorithm, encoding and timestamp; "
    "repeats are found by the id header, else by what was signed.",
    setup="Enter the address and the secret at the sender, and describe in the options how it signs.",
    verify=verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=sign,
    event_type=event_in_body,
    options=OPTIONS,
    refusal_of_options=refusal_of_options,
)
