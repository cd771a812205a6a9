"""Run several management commands in one process: the only file of the launcher that works inside Django.

Loading the product costs two seconds of processor time; a first start needs three commands.

    python -m brainops.stack.inside '[["create_admin", "--workspace", "main"], …]'

Prints a JSON list with the output of each.
"""

import io
import json
import sys
from collections.abc import Sequence

import django
from django.core.management import CommandError, call_command


def main(commands: Sequence[Sequence[str]]) -> list[str]:
    """Run the commands in order; the output of each. Raises CommandError at the first that fails."""
    django.setup()
    return [_run(command) for command in commands]


def _run(command: Sequence[str]) -> str:
    output = io.StringIO()
    call_command(*command, stdout=output)
    return output.getvalue()


if __name__ == "__main__":
    try:
        print(json.dumps(main(json.loads(sys.argv[1]))))
    except CommandError as failure:
        sys.exit(str(failure))
