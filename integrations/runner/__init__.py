"""The runner of actions: it owns what actions must not touch, first of all the network."""

from integrations.runner.actions import run_action, run_poll

__all__ = ["run_action", "run_poll"]
