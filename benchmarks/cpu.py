"""CPU seconds and resident memory of process trees, read from /proc (Linux)."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process. CPU includes its children that already ended."""

    pid: int
    parent: int
    command: str
    cpu_seconds: float


def processes() -> dict[int, Process]:
    """Every process of the machine that may be read."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:
                continue  # it ended meanwhile
            fields = stat.rpartition(")")[2].split()
            ticks = sum(int(fields[n]) for n in (11, 12, 13, 14))
            found[int(entry.name)] = Process(int(entry.name), int(fields[1]), command, ticks / TICKS_PER_SECOND)
    return found


def tree(root: int) -> list[Process]:
    """A process and all its descendants."""
    every = processes()
    children = defaultdict(list)
    for process in every.values():
        children[process.parent].append(process.pid)
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        if pid in every:
            found.append(every[pid])
            waiting += children[pid]
    return found


def cpu_by_role(roots: dict[str, int]) -> dict[str, float]:
    """CPU seconds used so far by each role's process tree."""
    return {role: sum(process.cpu_seconds for process in tree(pid)) for role, pid in roots.items()}


def memory_megabytes(roots: dict[str, int]) -> float:
    """Proportional resident memory of all trees: shared pages count once."""
    total = 0
    for pid in {process.pid for root in roots.values() for process in tree(root)}:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024
