"""The project's own Python files, parsed once for all checks of this folder."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROOMS = ("brainops", "integrations", "automation", "webhooks", "tests", "benchmarks")


@dataclass(frozen=True)
class Source:
    """One file: its place in the checkout, its text, its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def is_test(self) -> bool:
        return "tests" in Path(self.path).parts

    @property
    def stem(self) -> str:
        return Path(self.path).stem


@cache
def all_sources() -> tuple[Source, ...]:
    """Every Python file of ours but generated migrations."""
    files = [path for room in ROOMS for path in sorted((CHECKOUT / room).rglob("*.py"))]
    return tuple(_read(path) for path in [CHECKOUT / "manage.py", *files] if "migrations" not in path.parts)


def _read(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path.relative_to(CHECKOUT).as_posix(), text, ast.parse(text))
