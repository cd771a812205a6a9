"""Hypothesis strategies: JSON values, sources that look like expressions, expressions with their meaning."""

from hypothesis import strategies as st

from automation.engine.expressions import FILTERS, TESTS

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
wholes = st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-5, 5)
fractions = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | wholes | fractions | texts | st.sampled_from(["a", "1", "2026-03-29", "x,y", ""])

values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abk") | texts, inner, max_size=4),
    max_leaves=12,
)
scopes = st.fixed_dictionaries({"a": values, "b": values, "rows": st.lists(values, max_size=5)})

_WORDS = [
    "a", "b", "rows", "a.b", "a.k[0]", "['k']", "[0]", "[1:]", "[a]", "(", ")", "[", "]", "{", "}", "'k'", "\"t\"", "'", "1",
    "0", "2.5", "-", "+", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">=", "and", "or", "not", "in", "is", "if", "else",
    "|", ".", ",", ":", "=", "null", "true", "none", "}}", "{{", "{%", "{#", " ", "\n", "attribute=", "\\", "__class__", "é", "\x00",
    *(f"|{name}" for name in FILTERS), *(f" is {name} " for name in TESTS), *(f"'{name}'" for name in FILTERS),
]  # fmt: skip

soups = st.lists(st.sampled_from(_WORDS), max_size=12).map("".join)
sources = (
    st.text(max_size=40)
    | soups
    | soups.map(lambda soup: f"{{{{ {soup} }}}}")
    | st.tuples(soups, soups).map(lambda pair: f"x {{{{ {pair[0]} }}}} y {{{{{pair[1]}}}}}")
)

literals = st.one_of(
    st.sampled_from(["a", "b", "rows", "null", "true", "[]", "{}", "[1, 2]", "['a', null]", "{'k': 1}", "''", "'k'"]),
    st.integers(-100, 100).map(str),
    st.sampled_from(
        ["'%Y'", "'UTC'", "'hours'", "'sha256'", "','", "0.5", "1e308", "'2026-01-01'", "9223372036854775807"]
    ),
)
