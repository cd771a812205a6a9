"""Ids of events: in the order in which they come."""

from brainops.core.ordered_ids import new_ordered_id as new_event_id

__all__ = ["new_event_id"]
