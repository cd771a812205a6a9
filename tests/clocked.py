"""The web process with its clock set: the instant stands in the file that TEST_CLOCK_FILE names."""

import os
from datetime import UTC, datetime
from pathlib import Path

from brainops.core import clock
from brainops.wsgi import application

__all__ = ["application"]

_FILE = Path(os.environ["TEST_CLOCK_FILE"])

clock.now = lambda: datetime.fromtimestamp(float(_FILE.read_text()), UTC)
