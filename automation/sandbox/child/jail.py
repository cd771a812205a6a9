"""What a process gives up before it sees code: root, network, new rights, files, cores, most memory.

Each lock that a machine does not offer is left out; `lock_in` names those that hold. The interpreter inherits them.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

NOBODY = 65_534
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x08000000, 0x10000000, 0x40000000
OWN_MEMORY_BYTES = 1 << 30  # of address space; the interpreter gets a limit of its own
OWN_FILES = 32
NICENESS = 5  # the worker's heartbeat comes first
INTERPRETER_BYTES = 256 << 20  # address space beside the memory of the code: binary, libraries, stacks
INTERPRETER_FILES = 16
SPARE_SECONDS = 2  # of CPU, beside the limit of the code


def lock_in(interpreter: Path) -> list[str]:
    """Lock this process in for good; return the names of the locks that hold."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # no file grows, whoever may open one
    resource.setrlimit(resource.RLIMIT_NOFILE, (OWN_FILES, OWN_FILES))
    held = ["files"]
    if sys.platform == "linux":
        held += _linux_locks(interpreter)
    return held


def _linux_locks(interpreter: Path) -> Iterator[str]:
    resource.setrlimit(resource.RLIMIT_AS, (OWN_MEMORY_BYTES, OWN_MEMORY_BYTES))
    yield "memory"
    with suppress(OSError):  # whoever runs short of memory, this process goes first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if os.geteuid() == 0 and _becomes_nobody(interpreter):
        yield "user"
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0:
        yield "network"  # an empty one, without even a loopback that is up
    if library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        yield "privileges"


def _becomes_nobody(interpreter: Path) -> bool:
    """Leave root behind, unless the interpreter lies where nobody else can reach it."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    is_reachable = os.access(interpreter, os.X_OK, effective_ids=True)
    os.seteuid(0)
    os.setegid(0)
    if is_reachable:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    return is_reachable


def lock_interpreter(pid: int | None, *, seconds: float, memory_bytes: int) -> None:
    """Bound one fresh interpreter before it sees code. Elsewhere than on Linux its own limits must do."""
    if sys.platform != "linux" or pid is None:  # None: one that has died already, which the call will find out
        return
    cpu, space = int(seconds) + SPARE_SECONDS, memory_bytes + INTERPRETER_BYTES
    resource.prlimit(pid, resource.RLIMIT_CPU, (cpu, cpu))
    resource.prlimit(pid, resource.RLIMIT_AS, (space, space))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (INTERPRETER_FILES, INTERPRETER_FILES))
    resource.prlimit(pid, resource.RLIMIT_NPROC, (0, 0))  # its threads stand; nothing is started any more
