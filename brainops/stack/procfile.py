"""Read the Procfile: the one place that says how BrainOps' processes are started."""

import re
from pathlib import Path

LINE = re.compile(r"^(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>\S.*)$")


class ProcfileError(Exception):
    """A line that cannot be understood, named by its number."""


def read_procfile(path: Path) -> dict[str, str]:
    """Process name → shell command, in the file's order."""
    return parse_procfile(path.read_text(encoding="utf-8"))


def parse_procfile(text: str) -> dict[str, str]:
    """Process name → shell command; raises ProcfileError on a line of another shape or a name used twice."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.match(line)
        if match is None:
            raise ProcfileError(f"Procfile line {number}: expected `name: command`, got {line!r}.")
        if match["name"] in found:
            raise ProcfileError(f"Procfile line {number}: process {match['name']!r} is defined twice.")
        found[match["name"]] = match["command"].rstrip()
    return found


def shell_command(command: str) -> list[str]:
    """Run a Procfile line as platforms do, by a shell that then *becomes* the program.

    `exec` matters: without it our signals reach the shell and not the process.
    """
    return ["/bin/sh", "-c", f"exec {command}"]
