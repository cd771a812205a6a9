"""Jinja2's parser over our own tokens: from an expression to its syntax tree."""

from __future__ import annotations

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.syntax.source import Expression
from automation.engine.expressions.syntax.tokens import tokens_of

_ENVIRONMENT = Environment(autoescape=True)  # the parser asks it for extensions; it never compiles or renders


def parse(expression: Expression) -> nodes.Expr:
    """The syntax tree of `expression`; `lineno` of each node is an offset in the whole source.

    Raises Refusal with the exact position.
    """
    tokens = list(tokens_of(expression))
    if not tokens:
        raise Refusal(
            "there is nothing between {{ and }}", code=Code.SYNTAX, position=expression.offset, hint="Write a path."
        )
    end = Token(expression.offset + len(expression.text), "eof", "")
    parser = Parser(_ENVIRONMENT, "", state="variable")
    try:
        parser.stream = TokenStream([*tokens, end], None, None)
        tree = parser.parse_expression()
        if parser.stream.current.type != "eof":
            parser.fail(f"expected an operator or }}}}, got {parser.stream.current.value!r}")
    except TemplateSyntaxError as error:
        raise _refused(error, expression) from None
    except RecursionError:
        raise _too_deep(expression) from None
    return tree


def _refused(error: TemplateSyntaxError, expression: Expression) -> Refusal:
    position = min(error.lineno, expression.offset + len(expression.text))
    message = (error.message or "it cannot be read").rstrip(".").replace("end of template", "end of the expression")
    return Refusal(message[:1].lower() + message[1:], code=Code.SYNTAX, position=position)


def _too_deep(expression: Expression) -> Refusal:
    return Refusal("it is nested too deep", code=Code.BUDGET, position=expression.offset, hint="Split the expression.")
