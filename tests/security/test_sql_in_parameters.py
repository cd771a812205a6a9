"""Text that is SQL to a careless program, in every query parameter of every list: it finds what nonsense finds."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from brainops.core.ratelimit.limiter import limiter
from tests.api.conftest import Walker, _nothing_remembered, home, new_walker, owner, walker
from tests.api.walk import Verb, lists, path_of, said_by

__all__ = ["_nothing_remembered", "home", "new_walker", "owner", "walker"]

NONSENSE = "zqxjkvnonsense"
TEXTS = (
    "' OR '1'='1",
    "' OR 1=1 --",
    "1) OR (1=1",
    "') UNION SELECT NULL,version()--",
    "'; SELECT pg_sleep(5)--",
    "1;DROP TABLE automation_workflow",
    "\\' OR 1=1#",
    "name); SELECT 1--",
    "id,(SELECT 1/0)",
    "%' AND 1=(SELECT COUNT(*) FROM accounts_user) AND '%'='",
    "$$ || pg_read_file('/etc/passwd') || $$",
    "_connector=OR 1=1",
    "%%%__%%%",
    "{}[]()*+?.,^$|#",
)
# `limit` and `count` are numbers and words, the others have tests of their own in tests/api.
PAGING = {"limit", "count", "cursor", "fields"}
LISTS = [verb for verb in lists() if "<str:path>" not in verb.route]


def found(walker: Walker, verb: Verb, name: str, text: str) -> tuple[int, int]:
    """The status, and how many rows the page has."""
    limiter.start_anew()
    answer = walker.send("GET", f"{path_of(verb, walker.parents)}?{name}={quote(text)}")
    return answer.status_code, len(answer.json().get("results", []))


def parameters(verb: Verb) -> list[str]:
    known = said_by(verb)
    return sorted(known.names - PAGING) if known else []


@pytest.mark.parametrize("verb", LISTS, ids=str)
def test_sql_in_a_parameter_finds_what_nonsense_finds(verb: Verb, walker: Walker):
    strange = {
        (name, text): answer
        for name in parameters(verb)
        for wanted in [found(walker, verb, name, NONSENSE)]
        for text in TEXTS
        if (answer := found(walker, verb, name, text)) not in (wanted, (400, 0))
    }

    assert strange == {}


def test_every_list_has_something_to_ask_for():
    assert sum(len(parameters(verb)) for verb in LISTS) > 60
