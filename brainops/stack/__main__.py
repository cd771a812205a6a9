"""`python -m brainops.stack`: what bin/brainops becomes once everything is installed."""

import os
import sys

from brainops.stack.cli import main

sys.exit(main(sys.argv[1:], dict(os.environ)))
