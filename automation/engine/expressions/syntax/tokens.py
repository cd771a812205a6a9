"""Tokens for Jinja2's parser, numbered by their offset where Jinja keeps line numbers.

So every node and every syntax error knows its exact place. Values are checked here as well: a literal
that JSON cannot carry never gets into a tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from jinja2.lexer import Token

from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.syntax.literals import fraction_literal, text_literal, whole_literal
from automation.engine.expressions.syntax.source import Expression

_OPERATORS = {
    "+": "add", "-": "sub", "/": "div", "//": "floordiv", "*": "mul", "%": "mod", "**": "pow", "~": "tilde",
    "[": "lbracket", "]": "rbracket", "(": "lparen", ")": "rparen", "{": "lbrace", "}": "rbrace",
    "==": "eq", "!=": "ne", ">": "gt", ">=": "gteq", "<": "lt", "<=": "lteq",
    "=": "assign", ".": "dot", ":": "colon", "|": "pipe", ",": "comma",
}  # fmt: skip

_FOREIGN = {
    "||": 'Write "or".',
    "&&": 'Write "and".',
    "===": "Write ==.",
    "!==": "Write !=.",
    "??": "Use |default(…).",
    "=>": "Functions do not exist here; use a filter such as |map or |selectattr.",
    "!": 'Write "not".',
    "?": 'Write "a if condition else b".',
    "$": "Names have no $.",
    "`": "Put text between ' or \".",
    ";": "Only one expression fits in {{ }}.",
}

# in this order: a foreign sign before the operators it begins with, a fraction before the whole number in it;
# after a dot no fraction begins, so that `rows.0.1` is two steps down a path
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<foreign>===|!==|=>|&&|\|\||\?\?|!(?!=)|[?$`;])
    | (?P<float>(?<!\.)[0-9][0-9_]*(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))
    | (?P<integer>0(?![0-9_])|[1-9][0-9_]*)
    | (?P<name>[^\W\d]\w*)
    | (?P<string>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<operator>//|\*\*|==|!=|>=|<=|[-+/*%~\[\](){}<>=.:|,])""",
    re.VERBOSE | re.DOTALL,
)

_VALUES: dict[str, Callable[[str, int], Any]] = {
    "float": fraction_literal,
    "integer": whole_literal,
    "string": text_literal,
}


def tokens_of(expression: Expression) -> Iterator[Token]:
    """The tokens of an expression; `lineno` of each is its offset in the whole source."""
    text, position = expression.text, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        place = expression.offset + position
        if match is None:
            raise Refusal(f"{text[position]!r} has no meaning here", code=Code.SYNTAX, position=place)
        if match.lastgroup != "space":
            yield _token(str(match.lastgroup), match.group(), place)
        position = match.end()


def _token(group: str, text: str, place: int) -> Token:
    if group == "operator":
        return Token(place, _OPERATORS[text], text)
    if group == "foreign":
        raise Refusal(f"{text} has no meaning here", code=Code.SYNTAX, position=place, hint=_FOREIGN[text])
    if group == "name":
        if not text.isidentifier():
            raise Refusal(f"{text!r} is not a name", code=Code.SYNTAX, position=place)
        return Token(place, "name", text)
    # Jinja types token values as text although its own lexer puts numbers there
    return Token(place, group, cast(str, _VALUES[group](text, place)))
