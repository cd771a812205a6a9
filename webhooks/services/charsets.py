"""Charsets by the names that senders write. One table, made at import: nothing is looked up by a stranger's word.

`codecs.lookup` imports a module for each new name and remembers every miss for ever, and some codecs that it finds turn
text into something else (`punycode`), run over escapes (`unicode_escape`) or take quadratic time (`idna`).
"""

from __future__ import annotations

import codecs
from encodings.aliases import aliases

from brainops.core.errors import InvalidInput, UnsupportedMediaType

UTF_8 = "utf-8"
_UNSAFE = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7", "mbcs", "oem", "palmos"}
)


def _known() -> dict[str, str]:
    """Every spelling that Python knows of a charset that only decodes text."""
    spellings = {**aliases, **{codec: codec for codec in aliases.values()}, "": UTF_8, "utf8": UTF_8}
    found = {}
    for spelling, codec in spellings.items():
        try:
            is_text = codecs.lookup(codec)._is_text_encoding  # its own word for: decodes bytes to text
        except LookupError:  # a codec of another system
            continue
        if is_text and codec not in _UNSAFE:
            found[_plain(spelling)] = codec
    return found


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_").replace(":", "_")


def decode(raw: bytes, charset: str, *, what: str = "body") -> str:
    """The text of bytes, without a byte order mark. Nothing is guessed or replaced.

    Raises UnsupportedMediaType for a charset that is not known, InvalidInput (`malformed_text`) where the bytes are not
    of it, or hold a NUL character: no column can hold one.
    """
    codec = _KNOWN.get(_plain(charset))
    if codec is None:
        raise UnsupportedMediaType(f"The charset {charset[:40]!r} is not known here. Send UTF-8.")
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        shown = f"byte {error.start} is {raw[error.start]:#04x}" if error.start < len(raw) else "it is cut short"
        name = charset[:40].upper() if charset else "UTF-8"
        raise InvalidInput(f"The {what} is not {name}: {shown}.", code="malformed_text") from error
    if "\0" in text:
        place = text.index("\0")
        said = f"The {what} holds a NUL character at position {place}, which cannot be stored."
        raise InvalidInput(said, code="malformed_text")
    return text.removeprefix("\ufeff")


def python_name(charset: str) -> str:
    """What Python calls a charset. Raises UnsupportedMediaType for one that is not known."""
    decode(b"", charset)
    return _KNOWN[_plain(charset)]


_KNOWN = _known()
