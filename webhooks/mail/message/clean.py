"""Text of strangers as text that JSON and PostgreSQL take: no NUL, no half characters, headers on one line."""

from __future__ import annotations

import re

_HALVES = re.compile("[\0\ud800-\udfff]")
_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")

# Codecs that are no charsets of mails: slow on purpose (idna, punycode), or ones that read escapes.
_NEVER = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_ASCII = frozenset({"", "ascii", "us_ascii", "ansi_x3.4_1968"})


def clean(text: str) -> str:
    """The text with a replacement character for each NUL and each lone surrogate."""
    return _HALVES.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """A header's value: a line break in it (from an encoded word) would be a new header wherever it is sent on."""
    return clean(_BREAKS.sub(" ", text)).strip()


def decoded(data: bytes, charset: str | None) -> str:
    """Bytes as text, whatever the mail says they are; what does not fit becomes a replacement character.

    ASCII and a charset that nobody knows are read as UTF-8, which ASCII is a part of.
    """
    named = (charset or "").strip().lower().replace("-", "_")
    if named not in _ASCII | _NEVER:
        try:
            return clean(data.decode(named, "replace"))
        except (LookupError, UnicodeError, ValueError):  # unknown, no text encoding, a NUL in the name
            pass
    return clean(data.decode("utf-8", "replace"))
