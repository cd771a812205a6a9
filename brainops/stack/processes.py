"""Look at processes that are not our children: is it alive, is it the one we mean."""

import os
import subprocess
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process with this pid exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def identity(pid: int) -> str:
    """What tells this process from a later one with the same pid; empty when it is gone.

    On Linux the boot and the start in clock ticks (proc(5), field 22), elsewhere ps's start time.
    """
    try:
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _ps("lstart=", pid)
    # The name, in brackets, may hold anything: the fields are counted after its end.
    state, *fields = facts.rpartition(")")[2].split()
    return "" if state == "Z" else f"{boot}/{fields[18]}"


def command_line(pid: int) -> str:
    """The command line of `pid`, or an empty text when it is gone (or a zombie)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/cmdline").exists():
            return ""
    return _ps("command=", pid)


def _ps(column: str, pid: int) -> str:
    answer = subprocess.run(["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()
