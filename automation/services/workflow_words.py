"""Search workflows by words: in the name, tags, ids of steps and description; parts of words and misspelt ones, too.

The columns `search_*` are kept by the database (migration `searching`) and are no fields of the model.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Field, IntegerField, Q, QuerySet
from django.db.models.expressions import RawSQL

from automation.models import Workflow

MOST_WORDS = 8  # of a search; what stands behind them is not looked at
_TABLE = "automation_workflow"

# Whole words and their beginnings, through workflow_search_words.
_BY_WORD = f"{_TABLE}.search_words @@ to_tsquery('simple', %s)"
# Parts of words, or words that share enough trigrams (settings: pg_trgm.word_similarity_threshold), through
# workflow_search_text.
_BY_PART = f"({_TABLE}.search_text like %s or {_TABLE}.search_text %%> %s)"
# An integer, since cursors compare it: a real number would be another one after its way through text.
_RANK = f"(1000 * ts_rank({_TABLE}.search_words, to_tsquery('simple', %s)))::int"
_RANK_BY_PART = (
    f"(1000 * ts_rank({_TABLE}.search_words, to_tsquery('simple', %s))"
    f" + 1000 * word_similarity(%s, lower({_TABLE}.name)))::int"
)


def matching(rows: QuerySet[Workflow], search: str) -> QuerySet[Workflow]:
    """The workflows in which every word of the search is found; `rank` says how well."""
    words = search.lower().split()[:MOST_WORDS]
    query = " & ".join(_prefix(word) for word in words)
    if not has_trigrams():
        return rows.filter(_is(_BY_WORD, query)).annotate(rank=_sql(_RANK, query, gives=IntegerField()))
    for word in words:
        rows = rows.filter(_is(_BY_PART, f"%{_literal(word)}%", word))
    return rows.annotate(rank=_sql(_RANK_BY_PART, query, " ".join(words), gives=IntegerField()))


def using(rows: QuerySet[Workflow], kinds: list[str]) -> QuerySet[Workflow]:
    """The workflows with a step of one of these kinds."""
    return rows.filter(_is(f"{_TABLE}.search_kinds ?| %s::text[]", kinds))


@lru_cache(maxsize=1)
def has_trigrams() -> bool:
    """Whether this database has pg_trgm: an extension that some hosts do not offer. Asked once a process."""
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('workflow_search_text') is not null")
        return bool(cursor.fetchone()[0])


def _is(sql: str, *parameters: Any) -> Q:
    return Q(_sql(sql, *parameters, gives=BooleanField()))


def _sql(sql: str, *parameters: Any, gives: Field[Any, Any]) -> RawSQL:
    # the texts are the literals above; what a caller says goes in as parameters
    return RawSQL(sql, parameters, output_field=gives)  # noqa: S611  # only literals; values are parameters


def _prefix(word: str) -> str:
    """A word of a tsquery that also means what begins with it; quoted, so that no sign in it is an operator."""
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*"


def _literal(word: str) -> str:
    """A word in which LIKE sees no wildcard."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
