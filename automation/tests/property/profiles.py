"""How deep the property tests look: quickly in every run of the suite, deeply with HYPOTHESIS_PROFILE=slow."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SUPPRESSED = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
IS_SLOW = os.environ.get("HYPOTHESIS_PROFILE") == "slow"


def depth(*, quick: int, slow: int, steps: int = 50) -> settings:
    """Settings for so many examples, of up to `steps` rules each."""
    return settings(
        max_examples=slow if IS_SLOW else quick,
        stateful_step_count=steps * 2 if IS_SLOW else steps,
        deadline=None,
        suppress_health_check=SUPPRESSED,
        print_blob=True,
    )
