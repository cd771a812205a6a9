"""CloudEvents 1.0: what an event is, read from its structured form and written in it. Pure.

Source: cloudevents/spec v1.0.2, spec.md (attributes, type system) and formats/json-format.md.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from automation.engine.pointers import pointer
from automation.engine.problem import Problem
from automation.engine.wording import shown

Json = Any

SPEC_VERSION = "1.0"
JSON_TYPE = "application/json"
MOST_EXTENSIONS = 50
LARGEST_INTEGER = (1 << 31) - 1  # of the type system: 32 bits with a sign
HOPS = "brainopshops"  # extension: how many events led to this one, also across installations
MOST_HOPS = 1_000
CONTEXT = ("id", "source", "type", "subject", "time", "datacontenttype", "dataschema")
REQUIRED = ("id", "source", "type")
# characters; the specification sets no bounds
MOST = {
    "id": 255,
    "source": 1000,
    "type": 200,
    "subject": 500,
    "time": 40,
    "datacontenttype": 200,
    "dataschema": 1000,
    "extension": 2000,
}

_NAME = re.compile(r"[a-z0-9]{1,64}")  # 20 characters at most are recommended, not required
# what a String must not hold: control characters, surrogates, code points that are no characters
_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr((plane << 16) + 0xFFFE)}{chr((plane << 16) + 0xFFFF)}" for plane in range(17))
    + "]"
)
_TIME = re.compile(
    r"(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_REFERENCE = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")  # RFC 3986, its characters
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\s*;.*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """An event. Texts that are not said are empty; without an `id` the bus gives it one.

    `time` is RFC 3339 as its sender said it. With `is_binary` the data is Base64 text of bytes.
    """

    type: str
    source: str
    id: str = ""
    subject: str = ""
    time: str = ""
    datacontenttype: str = ""
    dataschema: str = ""
    data: Json = None
    is_binary: bool = False
    extensions: Mapping[str, Json] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, Json]:
        """All that is said about the data, extension attributes too."""
        said = {name: value for name in CONTEXT if (value := getattr(self, name))}
        return {"specversion": SPEC_VERSION, **said, **self.extensions}

    @property
    def structured(self) -> dict[str, Json]:
        """The event as one JSON object."""
        if self.data is None:
            return self.attributes
        return {**self.attributes, "data_base64" if self.is_binary else "data": self.data}


def hops_said(event: CloudEvent) -> int:
    """How many events led to one, as its extension says it; 0 without a number there."""
    said = event.extensions.get(HOPS, 0)
    if isinstance(said, str):
        said = int(said) if re.fullmatch("[0-9]{1,4}", said) else 0
    return max(0, min(int(said), MOST_HOPS))


def may_hold(text: str) -> bool:
    """False for a text with a character that no attribute may hold."""
    return _UNFIT.search(text) is None


def is_json_type(media_type: str) -> bool:
    """True for `application/json`, `…+json`, and for none, which means JSON."""
    kind = media_type.partition(";")[0].strip().lower()
    return not kind or kind.endswith(("/json", "+json"))


def read_structured(said: Json) -> tuple[CloudEvent | None, list[Problem]]:
    """The event of a JSON object; None with every problem found, pointers into the object."""
    if not isinstance(said, dict):
        return None, [Problem("wrong_type", f"An event is a JSON object, got {shown(said)}.", "")]
    # a member that is null counts as absent (json-format, 2.2)
    given = {name: value for name, value in said.items() if value is not None}
    attributes = {name: value for name, value in given.items() if name not in ("data", "data_base64")}
    found = [*check(attributes), *_data_problems(given)]
    if found:
        return None, found
    is_binary = "data_base64" in given
    return made(attributes, given.get("data_base64") if is_binary else given.get("data"), is_binary=is_binary), []


def made(attributes: Mapping[str, Json], data: Json, *, is_binary: bool = False) -> CloudEvent:
    """The event of attributes that were checked."""
    named = {name: attributes[name] for name in CONTEXT if name in attributes}
    others = {name: value for name, value in attributes.items() if name not in CONTEXT and name != "specversion"}
    return CloudEvent(**named, data=data, is_binary=is_binary, extensions=others)


def check(attributes: Mapping[str, Json]) -> Iterator[Problem]:
    """Everything wrong with attributes; each pointer is the attribute's name."""
    version = attributes.get("specversion")
    if version != SPEC_VERSION:
        what = f"got {shown(version)}" if "specversion" in attributes else "it is missing"
        yield _problem("specversion", "unknown_version", f'specversion must be "{SPEC_VERSION}"; {what}.')
    for name in REQUIRED:
        if name not in attributes:
            yield _problem(name, "required", f"{name} is required: a text that is not empty.")
    for name, value in attributes.items():
        if name in CONTEXT:
            yield from _context_problems(name, value)
        elif name != "specversion":
            yield from _extension_problems(name, value)
    if len(attributes) - len(CONTEXT) > MOST_EXTENSIONS:
        yield Problem("too_many", f"An event has at most {MOST_EXTENSIONS} extension attributes.", "")


def is_time(text: str) -> bool:
    """True for a time of RFC 3339, on a day that there is."""
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    year, month, day = (int(part) for part in found.group(1, 2, 3))
    is_short = month == 2 and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return day <= (28 if is_short else _DAYS[month - 1])


def is_reference(text: str) -> bool:
    """True for what a URI-reference may be made of (RFC 3986, 4.1)."""
    return _REFERENCE.fullmatch(text) is not None


def _context_problems(name: str, value: Json) -> Iterator[Problem]:
    if not isinstance(value, str) or not value:
        yield _problem(name, "wrong_type", f"{name} must be a text that is not empty, got {shown(value)}.")
        return
    yield from _text_problems(name, value, most=MOST[name])
    if name == "time" and not is_time(value):
        yield _problem(name, "wrong_format", f"time must be RFC 3339 as in 2026-04-05T17:31:00Z, got {shown(value)}.")
    if name in ("source", "dataschema") and not is_reference(value):
        yield _problem(name, "wrong_format", f"{name} must be a URI; encode what it cannot hold, got {shown(value)}.")
    elif name == "dataschema" and not _SCHEME.match(value):
        yield _problem(name, "wrong_format", f"dataschema must be an absolute URI, got {shown(value)}.")
    if name == "datacontenttype" and not _MEDIA_TYPE.fullmatch(value):
        yield _problem(name, "wrong_format", f"datacontenttype must be a media type, got {shown(value)}.")


def _extension_problems(name: str, value: Json) -> Iterator[Problem]:
    if not _NAME.fullmatch(name) or name in ("data", "data_base64"):
        said = f"The attribute name {shown(name)} cannot be: lower-case letters a-z and digits only, 64 at most."
        yield _problem(name, "wrong_name", said)
    if isinstance(value, str):
        yield from _text_problems(name, value, most=MOST["extension"])
    elif not isinstance(value, bool | int):
        said = f"The extension {shown(name)} must be a text, a boolean or an integer, got {shown(value)}."
        yield _problem(name, "wrong_type", said)
    elif not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
        yield _problem(name, "out_of_range", f"The extension {shown(name)} must fit 32 bits, got {value}.")


def _text_problems(name: str, value: str, *, most: int) -> Iterator[Problem]:
    if len(value) > most:
        yield _problem(name, "too_long", f"{name[:64]} has {len(value)} characters; at most {most} are taken.")
    if (unfit := _UNFIT.search(value)) is not None:
        said = f"{name[:64]} holds U+{ord(unfit.group()):04X} at {unfit.start()}, which no attribute may hold."
        yield _problem(name, "unfit_character", said)


def _data_problems(said: Mapping[str, Json]) -> Iterator[Problem]:
    encoded = said.get("data_base64")
    if encoded is None:
        return
    if "data" in said:
        yield _problem("data_base64", "conflict", "An event has data or data_base64, not both.")
    if not isinstance(encoded, str) or not is_base64(encoded):
        yield _problem("data_base64", "wrong_format", "data_base64 must be Base64 text (RFC 4648, 4).")


def is_base64(text: str) -> bool:
    """True for Base64 with its padding and nothing else in it."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _problem(name: str, code: str, message: str) -> Problem:
    return Problem(code, message, pointer([name]))
