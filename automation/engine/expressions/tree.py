"""Tree: a JSON value whose strings may be templates, compiled once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.compiler.base import Path
from automation.engine.expressions.errors import Code, ExpressionError, Refusal
from automation.engine.expressions.syntax.source import has_expressions
from automation.engine.expressions.template import Template, compile_template
from automation.engine.expressions.values import Json, Scope

_DEEPEST = 100
_MOST_ERRORS = 100  # nobody reads more, and each costs a compilation

Leaf = Callable[[Scope, Budget], Json]
Keeps = Callable[[Template, str], bool]


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that a tree reads, and the JSON pointer of the string that reads it."""

    path: Path
    pointer: str


class Tree:
    """A compiled JSON value. `references` in document order; `is_constant`: rendering returns the value itself."""

    __slots__ = ("_render", "is_constant", "references")

    def __init__(self, render: Leaf | None, value: Json, references: tuple[Reference, ...]) -> None:
        self._render = render or (lambda _scope, _budget: value)
        self.is_constant = render is None
        self.references = references

    def render(self, scope: Scope, budget: Budget | None = None) -> Json:
        """The value in this scope. Parts without expressions are shared, not copied: treat it as read-only.

        Raises ExpressionError with the pointer of the string that failed.
        """
        return self._render(scope, budget or Budget())


def compile_tree(value: Json, *, keeps: Keeps | None = None) -> Tree:
    """Compile every string of `value`. Raises the first ExpressionError; `tree_errors` lists them all.

    `keeps(template, pointer)` is asked about each string with expressions: true leaves it as it is written.
    """
    builder = _Builder(keeps)
    render = builder.build(value, "", 1)
    if builder.errors:
        raise builder.errors[0]
    return Tree(render, value, tuple(builder.references))


def tree_errors(value: Json) -> tuple[ExpressionError, ...]:
    """What `compile_tree` would refuse, in document order; after a hundred it stops looking."""
    builder = _Builder()
    builder.build(value, "", 1)
    return tuple(builder.errors)


class _Company:
    """Whether a template is the only one of its tree: a large value taken over once need not be measured."""

    __slots__ = ("is_several",)

    def __init__(self) -> None:
        self.is_several = False


class _Builder:
    """Walks one value and collects references and errors."""

    def __init__(self, keeps: Keeps | None = None) -> None:
        self._keeps = keeps
        self.references: list[Reference] = []
        self.errors: list[ExpressionError] = []
        self._company = _Company()
        self._is_first = True

    def build(self, value: Json, pointer: str, depth: int) -> Leaf | None:
        """How to render `value`, None when it is constant."""
        if isinstance(value, str):
            return self._leaf(value, pointer) if has_expressions(value) else None
        if not isinstance(value, dict | list):
            return None
        if depth > _DEEPEST:
            self._refuse(f"the value is nested deeper than {_DEEPEST} levels", "", pointer, code=Code.BUDGET)
            return None
        if isinstance(value, list):
            return _list(value, [self.build(v, f"{pointer}/{i}", depth + 1) for i, v in enumerate(value)])
        return _dict(value, {key: self._field(key, v, pointer, depth) for key, v in value.items()})

    def _field(self, key: str, value: Json, pointer: str, depth: int) -> Leaf | None:
        place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        if has_expressions(key):
            hint = "Make the whole object with one expression: {{ {inputs.key: inputs.value} }}."
            self._refuse("a key cannot have expressions", key, place, hint=hint)
        return self.build(value, place, depth + 1)

    def _refuse(self, reason: str, source: str, pointer: str, *, code: Code = Code.SYNTAX, hint: str = "") -> None:
        refusal = Refusal(reason, code=code, hint=hint)
        self.errors.append(ExpressionError.from_refusal(refusal, source).in_tree(pointer))

    def _leaf(self, source: str, pointer: str) -> Leaf | None:
        if len(self.errors) >= _MOST_ERRORS:
            return None
        try:
            template = compile_template(source)
        except ExpressionError as error:
            self.errors.append(error.in_tree(pointer))
            return None
        self.references.extend(Reference(path, pointer) for path in sorted(template.references, key=str))
        if self._keeps is not None and self._keeps(template, pointer):
            return None
        self._company.is_several = not self._is_first
        self._is_first = False
        return _leaf(template, pointer, self._company)


def _leaf(template: Template, pointer: str, company: _Company) -> Leaf:
    def render(scope: Scope, budget: Budget) -> Json:
        try:
            return template.evaluate(scope, budget)
        except ExpressionError as error:
            raise error.in_tree(pointer) from None

    def render_single(scope: Scope, budget: Budget) -> Json:
        value = render(scope, budget)
        if company.is_several:
            try:
                _charge(value, budget, is_measured=template.may_repeat)
            except Refusal as refusal:
                raise ExpressionError.from_refusal(refusal, template.source).in_tree(pointer) from None
        return value

    return render_single if template.is_single else render


def _charge(value: Json, budget: Budget, *, is_measured: bool) -> None:
    """Count a value taken over from the scope: the same one may stand in thousands of places."""
    if type(value) is str:
        budget.grow(len(value))
    elif not is_measured and (type(value) is list or type(value) is dict):
        budget.take(value)


def _list(value: list[Json], leaves: list[Leaf | None]) -> Leaf | None:
    dynamic = [(index, leaf) for index, leaf in enumerate(leaves) if leaf is not None]
    if not dynamic:
        return None

    def render(scope: Scope, budget: Budget) -> Json:
        made = value.copy()
        for index, leaf in dynamic:
            made[index] = leaf(scope, budget)
        return made

    return render


def _dict(value: dict[str, Json], leaves: dict[str, Leaf | None]) -> Leaf | None:
    dynamic = [(key, leaf) for key, leaf in leaves.items() if leaf is not None]
    if not dynamic:
        return None

    def render(scope: Scope, budget: Budget) -> Json:
        made = value.copy()
        for key, leaf in dynamic:
            made[key] = leaf(scope, budget)
        return made

    return render
