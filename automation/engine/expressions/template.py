"""Template: a text with expressions, compiled once and evaluated often."""

from __future__ import annotations

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.cache import TemplateCache
from automation.engine.expressions.compiler import new_compiler
from automation.engine.expressions.compiler.base import Compiler, Path
from automation.engine.expressions.compiler.sharing import may_repeat
from automation.engine.expressions.errors import Code, ExpressionError, Refusal
from automation.engine.expressions.json_text import join_texts, to_text
from automation.engine.expressions.syntax.parser import parse
from automation.engine.expressions.syntax.source import Expression, Part, Text, has_expressions, split_source
from automation.engine.expressions.values import Compiled, Json, Scope

_SECRET_ROOT = "secrets"  # noqa: S105 (the name of a scope root)


class Template:
    """What a string of a workflow document means.

    `references` are the paths it reads, as far as they are known before it runs: `("steps", "order", "output")`;
    `required` are those of them that nothing stands in for when they lead nowhere.
    `is_constant`: there is nothing to evaluate. `is_single`: exactly one `{{ }}`, so the value keeps its JSON type.
    `may_repeat`: the value may hold parts of the scope several times and is measured.
    """

    __slots__ = ("_cost", "_run", "is_constant", "is_single", "may_repeat", "references", "required", "source")

    def __init__(
        self,
        source: str,
        run: Compiled,
        *,
        cost: int,
        references: frozenset[Path],
        required: frozenset[Path],
        is_single: bool,
        may_repeat: bool,
    ) -> None:
        self.source = source
        self.references = references
        self.required = required
        self.is_constant = cost == 0
        self.is_single = is_single
        self.may_repeat = may_repeat
        self._run = run
        self._cost = cost

    def evaluate(self, scope: Scope, budget: Budget | None = None) -> Json:
        """The value in this scope: the value of the expression if there is exactly one, else text.

        Never changes the scope; what it returns may be a part of it. Raises ExpressionError.
        """
        if budget is None:
            budget = Budget()
        try:
            budget.operations -= self._cost
            if budget.operations < 0:
                raise budget.out_of_operations()
            return self._run(scope, budget)
        except Refusal as refusal:
            raise self._error(refusal) from None
        except RecursionError:
            raise self._error(Refusal("it is nested too deep", code=Code.BUDGET)) from None

    @property
    def is_secret(self) -> bool:
        """True when it reads secrets: then no message and no explanation shows a value."""
        return any(path[0] == _SECRET_ROOT for path in self.references)

    def _error(self, refusal: Refusal) -> ExpressionError:
        return ExpressionError.from_refusal(refusal, self.source, is_secret=self.is_secret)


def compile_template(source: str) -> Template:
    """The compiled template, from the cache when it is there. Raises ExpressionError with the exact position."""
    return _CACHE.get(source)


def render(source: str, scope: Scope, budget: Budget | None = None) -> Json:
    """Compile and evaluate in one go."""
    return _CACHE.get(source).evaluate(scope, budget)


def _compile(source: str) -> Template:
    if not has_expressions(source):
        nothing: frozenset[Path] = frozenset()
        return Template(
            source,
            lambda _scope, _budget: source,
            cost=0,
            references=nothing,
            required=nothing,
            is_single=False,
            may_repeat=False,
        )
    try:
        return _compile_parts(source)
    except Refusal as refusal:
        raise ExpressionError.from_refusal(refusal, source) from None
    except RecursionError:
        too_deep = Refusal("it is nested too deep", code=Code.BUDGET, hint="Split the expression.")
        raise ExpressionError.from_refusal(too_deep, source) from None


def _compile_parts(source: str) -> Template:
    parts = split_source(source)
    compiler = new_compiler()
    repeats = False
    if len(parts) == 1 and isinstance(parts[0], Expression):
        tree = parse(parts[0])
        repeats = may_repeat(tree)
        run = compiler.compile(tree)
        run = _measured(run, parts[0].offset) if repeats else run
    else:
        run = _joined([_piece(part, compiler) for part in parts])
    return Template(
        source,
        run,
        cost=compiler.cost,
        references=frozenset(compiler.references),
        required=frozenset(compiler.required),
        is_single=len(parts) == 1,
        may_repeat=repeats,
    )


def _measured(code: Compiled, position: int) -> Compiled:
    def measured(scope: Scope, budget: Budget) -> Json:
        value = code(scope, budget)
        if type(value) is list or type(value) is dict:
            try:
                budget.take(value)
            except Refusal as refusal:
                refusal.at(position)
                raise
        return value

    return measured


def _piece(part: Part, compiler: Compiler) -> str | Compiled:
    """A text as it is, or code of an expression whose value becomes text."""
    if isinstance(part, Text):
        return part.text
    code, position = compiler.compile(parse(part)), part.offset

    def text(scope: Scope, budget: Budget) -> Json:
        value = code(scope, budget)
        if type(value) is str:
            return value
        try:
            return to_text(value, budget)
        except Refusal as refusal:
            refusal.at(position)
            raise

    return text


def _joined(pieces: list[str | Compiled]) -> Compiled:
    def text(scope: Scope, budget: Budget) -> Json:
        return join_texts([piece if isinstance(piece, str) else piece(scope, budget) for piece in pieces], "", budget)

    return text


_CACHE = TemplateCache(_compile)
