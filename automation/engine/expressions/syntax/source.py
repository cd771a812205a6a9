"""Cut a template into text and the expressions between `{{` and `}}`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from automation.engine.expressions.errors import Code, Refusal

LONGEST_EXPRESSION = 20_000
DEEPEST_BRACKETS = 32  # Jinja's parser needs about 14 frames a level: the stack must hold wherever it is called
_MARKERS = ("{{", "{%", "{#")

_SIGN = re.compile(r"""'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|['"()\[\]{}]""", re.DOTALL)
_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that stand for themselves."""

    text: str


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between `{{` and `}}`; `offset` is its first character's place in the whole source."""

    text: str
    offset: int


Part = Text | Expression


def has_expressions(source: str) -> bool:
    """True when `source` is more than plain text, or tries to be."""
    return "{" in source and any(marker in source for marker in _MARKERS)


def split_source(source: str) -> list[Part]:
    """The parts of `source` in order. Raises Refusal on statements, comments and unclosed expressions."""
    parts: list[Part] = []
    position = 0
    while (start := source.find("{{", position)) >= 0:
        _refuse_statements(source, position, start)
        if start > position:
            parts.append(Text(source[position:start]))
        end = _end_of_expression(source, start + 2)
        parts.append(_expression(source, start + 2, end))
        position = end + 2
    _refuse_statements(source, position, len(source))
    if position < len(source):
        parts.append(Text(source[position:]))
    return parts


def _refuse_statements(source: str, start: int, end: int) -> None:
    for marker, what in (("{%", "statements"), ("{#", "comments")):
        at = source.find(marker, start, end)
        if at >= 0:
            raise Refusal(
                f"{marker} begins one of Jinja's {what}, which do not exist here",
                code=Code.SYNTAX,
                position=at,
                hint=f"Use one expression in {{{{ }}}}; write {{{{ '{marker}' }}}} for the characters themselves.",
            )


def _end_of_expression(source: str, start: int) -> int:
    """Offset of the `}}` that closes the expression from `start`: brackets balance, text is skipped."""
    opened: list[str] = []
    for match in _SIGN.finditer(source, start):
        sign = match.group()
        if sign == "}" and "{" not in opened and source.startswith("}}", match.start()):
            return match.start()
        if len(sign) > 1:
            continue
        if sign in "'\"":
            raise Refusal(f"the text that begins with {sign} is not closed", code=Code.SYNTAX, position=match.start())
        _balance(opened, sign, match.start())
    raise Refusal("{{ is not closed", code=Code.SYNTAX, position=start - 2, hint="Add }} or write {{ '{{' }}.")


def _balance(opened: list[str], sign: str, position: int) -> None:
    if sign not in _CLOSING:
        opened.append(sign)
        if len(opened) > DEEPEST_BRACKETS:
            reason = f"brackets are nested deeper than {DEEPEST_BRACKETS} levels"
            raise Refusal(reason, code=Code.BUDGET, position=position, hint="Split the expression.")
    elif _CLOSING[sign] in opened:
        while opened.pop() != _CLOSING[sign]:
            pass  # a bracket left open: the parser names it


def _expression(source: str, start: int, end: int) -> Expression:
    if end - start > LONGEST_EXPRESSION:
        raise Refusal(
            f"an expression may have {LONGEST_EXPRESSION} characters, this one has {end - start}",
            code=Code.BUDGET,
            position=start,
            hint="Split it over several steps.",
        )
    text = source[start:end]
    for sign, position in ((text[:1], start), (text[-1:], end - 1)):
        if sign == "-":
            raise Refusal(
                "{{- and -}} would trim the text around, which does not exist here",
                code=Code.SYNTAX,
                position=position,
                hint="Put a space before a minus sign: {{ -1 }}.",
            )
    return Expression(text, start)
