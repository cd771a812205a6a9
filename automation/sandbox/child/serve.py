"""The child's loop: a line of JSON in, a line of JSON out, until the other side is gone."""

from __future__ import annotations

# Values and errors of these cross over from the interpreter. Its client would import them at need, and break: behind
# the locks the standard library may be out of reach.
import binascii  # noqa: F401 - for later, see above
import csv  # noqa: F401 - for later, see above
import datetime  # noqa: F401 - for later, see above
import decimal  # noqa: F401 - for later, see above
import io  # noqa: F401 - for later, see above
import json
import os
import re  # noqa: F401 - for later, see above
import signal
import sys
import sysconfig
import threading
import tomllib  # noqa: F401 - for later, see above
import traceback  # noqa: F401 - for later, see above
import zoneinfo  # noqa: F401 - for later, see above
from pathlib import Path
from queue import SimpleQueue

from pydantic_monty import Monty

from automation.sandbox.child.interpret import answer
from automation.sandbox.child.jail import lock_in


def main() -> None:
    """Lock in, say so, serve."""
    interpreter = Path(sysconfig.get_path("scripts")) / "monty"
    locks = lock_in(interpreter)
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    # each call gets an interpreter of its own: nothing of one workspace is left when the next one's code comes
    with Monty(binary_path=interpreter, min_processes=1, max_processes=1, max_checkouts_per_worker=1) as pool:
        _say(json.dumps({"locks": locks}).encode())
        while True:
            _say(answer(pool, json.loads(requests.get())))


def _listen(requests: SimpleQueue[bytes]) -> None:
    """Read requests. The end of the pipe is the end of the worker: nothing may outlive it, whatever it is busy with."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os.killpg(os.getpid(), signal.SIGKILL)  # it leads its own group: see `process.Child`


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
