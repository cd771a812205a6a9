"""Gives processes that have this folder on PYTHONPATH the step kinds of the chaos tests. The product has none of them."""

import os
import sys
from pathlib import Path

sys.path.insert(0, os.environ["CHAOS_ROOT"])

import automation.steps

automation.steps.__path__.append(str(Path(__file__).parent / "steps"))
