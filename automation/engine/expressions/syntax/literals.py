"""Values of the literals: numbers and quoted text, only as far as JSON can carry them."""

from __future__ import annotations

import re
from math import isfinite

from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.values import LARGEST_WHOLE

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_SELF = frozenset("\\'\"/")
_LONGEST_DIGITS = 40


def whole_literal(digits: str, position: int) -> int:
    """The value of `1200` or `1_200`."""
    digits = digits.replace("_", "")
    if len(digits) <= _LONGEST_DIGITS and (value := int(digits)) <= LARGEST_WHOLE:
        return value
    raise Refusal(
        "the number is beyond the whole numbers of 64 bits",
        code=Code.SYNTAX,
        position=position,
        hint="Write it as text.",
    )


def fraction_literal(digits: str, position: int) -> float:
    """The value of `0.5` or `2e3`."""
    value = float(digits.replace("_", ""))
    if isfinite(value):
        return value
    raise Refusal("the number is too large", code=Code.SYNTAX, position=position)


def text_literal(quoted: str, position: int) -> str:
    r"""The value of a quoted text. Knows \n \t \r \b \f \\ \' \" \/ \uXXXX \xXX; any other `\c` stays as written."""
    inner = quoted[1:-1]
    if "\\" in inner:
        inner = _ESCAPE.sub(_unescape, inner)
    return storable(inner, position=position)


def storable(text: str, *, position: int | None = None) -> str:
    """`text` when a database can keep it: surrogate pairs joined, no lone surrogate, no NUL character."""
    if not text.isascii():
        try:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise Refusal("the text has half of a surrogate pair", position=position) from None
    if "\0" in text:
        raise Refusal("the text has the character U+0000, which no database keeps", position=position)
    return text


def _unescape(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    return escape if escape in _SELF else _ESCAPES.get(escape, match[0])
