#!/usr/bin/env python
"""Django's command line for BrainOps."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    # Imported here: Django reads the settings module's name on import of some commands.
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
