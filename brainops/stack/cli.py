"""The command line of bin/brainops."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from brainops.stack import backup, commands
from brainops.stack.backup import BackupError
from brainops.stack.binaries import MissingServer
from brainops.stack.children import StartError
from brainops.stack.doctor import doctor
from brainops.stack.launch import Options
from brainops.stack.place import Place, find_place
from brainops.stack.settled_ports import PortTaken
from brainops.stack.state import Busy
from brainops.stack.up import DETACHED, supervise_detached, up, up_detached


def main(arguments: Sequence[str], environment: "dict[str, str]") -> int:
    """Run one command; its exit code."""
    place = find_place(environment)
    try:
        # Everything after these belongs to the other program, --help included.
        if arguments and arguments[0] == "manage":
            return commands.manage(place, arguments[1:])
        if arguments and arguments[0] == "test":
            return commands.test(arguments[1:])
        return _run(place, _parser().parse_args(arguments))
    except (BackupError, Busy, MissingServer, PortTaken, StartError) as problem:
        print(f"bin/brainops: {problem}", file=sys.stderr)
        return 1


def _run(place: Place, asked: argparse.Namespace) -> int:
    acts: dict[str, Callable[[], int]] = {
        "up": lambda: _up(place, asked),
        "down": lambda: commands.down(place),
        "status": lambda: commands.status(place, as_json=asked.json),
        "doctor": lambda: doctor(place),
        "reset": lambda: commands.reset(place, is_certain=asked.yes),
        "admin-password": lambda: commands.admin_password(place),
        "backup": lambda: backup.backup(place, asked.file),
        "restore": lambda: backup.restore(place, asked.file, keys=asked.keys, is_certain=asked.yes),
        "pause": lambda: commands.manage(place, ["pause", "--wait", str(asked.wait)]),
        "resume": lambda: commands.manage(place, ["resume"]),
        "develop": lambda: 0,  # the launcher has installed everything before it came here
    }
    return acts[asked.command]()


def _up(place: Place, asked: argparse.Namespace) -> int:
    options = Options(port=asked.port, workers=asked.workers, is_quiet=asked.quiet)
    if asked.detached_supervisor:
        return supervise_detached(place, options)
    return up_detached(place, options) if asked.detach else up(place, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/brainops",
        description="Start, watch and look after a BrainOps installation.",
        epilog="Data lies in .brainops/ beside the checkout, or where BRAINOPS_DATA points.",
    )
    known = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    starting = known.add_parser("up", help="start everything and watch over it until Ctrl-C")
    starting.add_argument("--port", type=_port, help="port of the web server (8000, or the next free one)")
    starting.add_argument("--workers", type=_workers, default=1, help="worker processes (1)")
    starting.add_argument("--quiet", action="store_true", help="do not show the processes' logs")
    starting.add_argument("--detach", action="store_true", help="go to the background when the sample run has finished")
    starting.add_argument(DETACHED, action="store_true", help=argparse.SUPPRESS)
    known.add_parser("down", help="stop everything in order")
    asking = known.add_parser("status", help="say what runs, and where")
    asking.add_argument("--json", action="store_true", help="for programs")
    known.add_parser("manage", help="Django's manage.py on this installation", add_help=False)
    known.add_parser("test", help="run the tests; what follows goes to pytest", add_help=False)
    known.add_parser("doctor", help="check that this machine has what is needed")
    emptying = known.add_parser("reset", help="stop, and delete data, logs and secrets")
    emptying.add_argument("--yes", action="store_true", help="really do it")
    known.add_parser("admin-password", help="give the admin a new password and print it")
    saving = known.add_parser("backup", help="write the database to a file, while everything runs; without the keys")
    saving.add_argument("file", type=Path, help="a new file")
    putting = known.add_parser("restore", help="put a backup in this installation's place; everything must be down")
    putting.add_argument("file", type=Path, help="what backup wrote")
    putting.add_argument("--keys", type=Path, metavar="FOLDER", help="a copy of the secrets folder it belongs to")
    putting.add_argument("--yes", action="store_true", help="replace the data and the keys that are here")
    resting = known.add_parser("pause", help="let workers claim nothing more; what comes in is kept")
    resting.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="for runs under way (60)")
    known.add_parser("resume", help="let workers claim again")
    known.add_parser("develop", help="install the tools for working on BrainOps, nothing more")
    return parser


def _port(text: str) -> int:
    return _number(text, low=1, high=65535)


def _workers(text: str) -> int:
    return _number(text, low=1, high=64)


def _number(text: str, *, low: int, high: int) -> int:
    if not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"expected a number from {low} to {high}, got {text!r}")
    return int(text)
