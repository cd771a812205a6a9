"""What other rooms do each second: registered when their app is ready, done by whichever worker has the turn.

Each one says how many runs are ready because of it, costs next to nothing while nothing is due, and is bounded.
"""

from __future__ import annotations

from collections.abc import Callable

from brainops.core.registry import Registry

each_second: Registry[Callable[[], int]] = Registry("due work")
