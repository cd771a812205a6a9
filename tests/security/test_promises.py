"""docs/security.md names proofs that exist: every number from 1 to 60, every test, every command."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
PROOF = re.compile(r"`([^`]+)`")
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def is_there(proof: str) -> bool:
    """Whether a test of this file and name, or a target of the Makefile, exists."""
    if proof.startswith("make "):
        return proof.removeprefix("make ") in TARGETS
    file, _, name = proof.partition("::")
    path = ROOT / file
    return (
        path.is_file() and re.search(rf"^\s*def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE) is not None
    )


def test_each_of_the_sixty_promises_has_a_proof_that_exists():
    rows = {int(number): PROOF.findall(proofs) for number, _, proofs in ROW.findall(PAGE)}

    assert list(rows) == list(range(1, 61))
    assert {number: [one for one in proofs if not is_there(one)] for number, proofs in rows.items()} == {
        number: [] for number in rows
    }
    assert all(rows.values())


def test_a_proof_that_is_not_there_is_noticed():
    proofs = ("make nonsense", "tests/security/nothing.py::test_x", "tests/security/test_promises.py::test_nothing")

    assert [is_there(proof) for proof in proofs] == [False, False, False]
    assert is_there("tests/security/test_promises.py::test_a_proof_that_is_not_there_is_noticed")


def test_every_folder_and_file_the_page_names_exists():
    named = {word.partition("::")[0] for word in PROOF.findall(PAGE) if "/" in word and " " not in word}

    assert sorted(word for word in named if not (ROOT / word).exists()) == []
