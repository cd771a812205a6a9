"""What goes wrong with an expression, said so that its author can mend it.

Exception
├── ExpressionError   what callers see: the expression, the place, the value, the way out
└── Refusal           inside the evaluator only: a reason that does not know its expression yet
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from automation.engine.expressions.describe import excerpt, kind_of, preview, shown


class Code(StrEnum):
    """Stable reason of an ExpressionError."""

    SYNTAX = "syntax"  # the text cannot be read as an expression
    UNDEFINED = "undefined"  # a name, key or item is not there
    TYPE = "type"  # a value has the wrong kind
    VALUE = "value"  # a value has the right kind but cannot be used
    BUDGET = "budget"  # too many operations, too deep or too large


class Nothing:
    """The absence of a value; its only instance is `NOTHING`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = Nothing()


class Refusal(Exception):
    """A reason to stop evaluating: `reason[, got value]. [Did you mean suggestion?] [hint]`.

    Raised without a position by filters; the compiled node around it adds its own with `at`.
    """

    def __init__(
        self,
        reason: str,
        *,
        code: Code = Code.VALUE,
        value: Any = NOTHING,
        suggestion: str | None = None,
        hint: str = "",
        position: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.value = value
        self.suggestion = suggestion
        self.hint = hint
        self.position = position

    def at(self, position: int, *, within: str = "") -> Refusal:
        """Say where it happened unless an inner node already did; `within` names the filter or test."""
        if self.position is None:
            self.position = position
            self.reason = f"{within} {self.reason}" if within else self.reason
        return self

    def of_item(self, index: int) -> Refusal:
        """Say which item of a list it is about."""
        if self.position is None:
            self.reason = f"at item {index} {self.reason}"
        return self

    def sentence(self, *, is_secret: bool = False) -> str:
        """The whole reason with the value and the way out. A secret value is only named by its kind."""
        got = ""
        if self.value is not NOTHING:
            got = f", got {kind_of(self.value) if is_secret else shown(self.value)}"
        quote = "" if '"' in (self.suggestion or "") else '"'
        meant = f" Did you mean {quote}{self.suggestion}{quote}?" if self.suggestion else ""
        return f"{self.reason}{got}.{meant}{' ' + self.hint if self.hint else ''}"


class ExpressionError(Exception):
    """An expression that cannot be read or evaluated.

    `expression` is the whole source string, `position` the 0-based offset in it, `value` the offending value
    (cut when it is large, None when there is none or it may hold a secret), `pointer` the JSON pointer of the
    string in its tree (`""` for a template on its own). `str(error)` is `message`.
    """

    def __init__(
        self,
        message: str,
        *,
        expression: str,
        position: int,
        code: Code,
        value: Any = None,
        suggestion: str | None = None,
        pointer: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expression = expression
        self.position = position
        self.code = code
        self.value = value
        self.suggestion = suggestion
        self.pointer = pointer

    @classmethod
    def from_refusal(cls, refusal: Refusal, source: str, *, is_secret: bool = False) -> ExpressionError:
        """The error callers see, made of a refusal and the source it happened in."""
        position = min(refusal.position or 0, len(source))
        sentence = refusal.sentence(is_secret=is_secret)
        return cls(
            f'Expression "{excerpt(source, position)}" at position {position}: {sentence}',
            expression=source,
            position=position,
            code=refusal.code,
            value=None if is_secret or refusal.value is NOTHING else preview(refusal.value),
            suggestion=refusal.suggestion,
        )

    def in_tree(self, pointer: str) -> ExpressionError:
        """Remember which string of a tree it was."""
        self.pointer = pointer
        return self
