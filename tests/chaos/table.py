"""Write the figures that `make chaos` counted into docs/reliability.md: python -m tests.chaos.table RESULTS."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- chaos: begin -->", "<!-- chaos: end -->"
HEAD = "| | scenario | accepted | faults | lost | doubled | failed | repeated effects | recovery | at rest | intake p99 | more |"
RULE = "|---|---|---|---|---|---|---|---|---|---|---|---|"


def main(path: Path) -> None:
    """Replace what stands between the marks by the newest result of each scenario and part."""
    found = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    newest = {(result["scenario"], result["title"]): result for result in found}
    results = sorted(newest.values(), key=lambda result: int(result["scenario"]))
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + "\n".join([BEGIN, *_lines(results), END]) + after, encoding="utf-8")


def _lines(results: list[dict[str, Any]]) -> list[str]:
    first = results[0]
    days = sorted({result["at"][:10] for result in results})
    about = f"Counted on {' to '.join(dict.fromkeys((days[0], days[-1])))}: {first['machine']}, seed {first['seed']}."
    return [about, "", HEAD, RULE, *map(_row, results)]


def _row(result: dict[str, Any]) -> str:
    cells = [
        result["scenario"],
        result["title"],
        f"{result['accepted']:,}",
        result["faults"],
        result["lost"],
        result["doubled"],
        result["failed"],
        result["repeated"],
        _number(result["recovery"], "s", 1, 1),
        _number(result["rest"], "s", 1, 1),
        _number(result["intake_p99"], "ms", 0, 1000),
        "; ".join(f"{name} {value}" for name, value in result["more"].items()),
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def _number(value: float | None, unit: str, digits: int, factor: int) -> str:
    return "" if value is None else f"{value * factor:,.{digits}f} {unit}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
