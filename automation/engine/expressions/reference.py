"""The lists of filters and tests in docs/expressions.md, made from what they declare.

`python -m automation.engine.expressions.reference docs/expressions.md` writes them into the page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from automation.engine.expressions.declare import Declared, Example
from automation.engine.expressions.filters import FILTERS
from automation.engine.expressions.predicates import TESTS

_BLOCKS = {"filters": FILTERS, "tests": TESTS}


def with_reference(page: str) -> str:
    """`page` with the text between `<!-- filters -->` and `<!-- end of filters -->` made anew, and of tests."""
    for name, table in _BLOCKS.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{_listed(table)}\n{end}{after}"
    return page


def _listed(table: dict[str, Declared]) -> str:
    declared = list({id(d): d for d in table.values()}.values())
    groups = dict.fromkeys(d.group for d in declared)
    return "".join(_group(group, (d for d in declared if d.group == group)) for group in groups)


def _group(name: str, members: Iterable[Declared]) -> str:
    entries = "".join(map(_entry, sorted(members, key=lambda d: d.name)))
    return f"\n### {name}\n\n{entries}"


def _entry(declared: Declared) -> str:
    also = f" Also `{'`, `'.join(declared.aliases)}`." if declared.aliases else ""
    examples = "".join(map(_example, declared.examples))
    return f"- **`{declared.signature}`** {declared.doc}{also}\n{examples}"


def _example(example: Example) -> str:
    scope = f" with `{json.dumps(example.scope, ensure_ascii=False)}`" if example.scope else ""
    return f"  - `{example.source}` → `{json.dumps(example.result, ensure_ascii=False)}`{scope}\n"


def main() -> None:
    """Rewrite the page named on the command line."""
    page = Path(sys.argv[1])
    page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
