"""Percentiles and the shape of a printed result."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank); 0 without values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 of seconds, in milliseconds."""
    return {f"p{int(share * 100)}_ms": round(percentile(values, share) * 1000, 1) for share in (0.5, 0.95, 0.99)}


def machine() -> dict[str, Any]:
    """What this was measured on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "cpu": model,
        "python": platform.python_version(),
        "system": platform.system(),
    }


def show(name: str, figures: dict[str, Any]) -> None:
    """Print one result as a line of JSON."""
    print(json.dumps({"benchmark": name, **figures}), flush=True)
