"""Compiled templates are kept as long as they are used and there is room."""

import pytest

from automation.engine.expressions.cache import TemplateCache


def test_what_is_used_is_made_once():
    made = []
    cache = TemplateCache(lambda source: made.append(source) or source.upper())

    assert [cache.get("a"), cache.get("b"), cache.get("a")] == ["A", "B", "A"]
    assert made == ["a", "b"]


def test_what_is_used_again_outlives_what_is_not():
    made = []
    cache = TemplateCache(lambda source: made.append(source) or source.upper(), most=4)

    for source in ("a", "b", "c", "a", "d", "a", "e", "a"):
        cache.get(source)

    assert made == ["a", "b", "c", "d", "e"]
    cache.get("b")
    assert made == ["a", "b", "c", "d", "e", "b"]


def test_the_number_of_templates_is_bounded():
    cache = TemplateCache(str.upper, most=100)

    for index in range(1000):
        cache.get(f"{index}")

    assert len(cache) <= 100


def test_the_size_of_templates_is_bounded():
    cache = TemplateCache(str.upper, most=100, characters=1000)

    for index in range(1000):
        cache.get(f"{index:0100}")

    assert len(cache) <= 10


def test_a_template_larger_than_the_cache_is_not_kept():
    cache = TemplateCache(str.upper, characters=10)

    assert cache.get("x" * 100) == "X" * 100
    assert len(cache) == 0


def test_errors_are_not_kept():
    attempts = []

    def fail(source):
        attempts.append(source)
        raise ValueError(source)

    cache = TemplateCache(fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="a"):
            cache.get("a")

    assert attempts == ["a", "a"]
