"""What a retry takes, alone and in a replay."""

from __future__ import annotations

from typing import Any

from automation.api.bodies import Body
from automation.services.retries import FAILED, LATEST, SAME

RETRY_PROPERTIES: dict[str, Any] = {
    "from": {
        "type": "string",
        "minLength": 1,
        "maxLength": 160,
        "default": FAILED,
        "description": 'Where to start: "start", "failed" (keep what succeeded), the id of a step, or an item of a '
        'loop as in "loop[17]".',
    },
    "version": {"enum": [SAME, LATEST], "default": SAME, "description": "Which version to run."},
    "inputs": {"type": "object", "description": "Other inputs than those of the run."},
}
RETRY = Body(RETRY_PROPERTIES)
