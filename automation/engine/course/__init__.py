"""The course of a run: passes through bodies, nested in each other, as a pure function of a plan and the rows."""

from automation.engine.course.course import Course
from automation.engine.course.limits import DEFAULT_LIMITS, Limits
from automation.engine.course.place import Place

__all__ = ["DEFAULT_LIMITS", "Course", "Limits", "Place"]
