"""Workflow documents: reading and checking them."""

from automation.engine.document.check import check_document
from automation.engine.document.limits import DEFAULT_LIMITS, Limits
from automation.engine.document.parse import Body, Document, Need, StepDocument, parse_document

__all__ = ["DEFAULT_LIMITS", "Body", "Document", "Limits", "Need", "StepDocument", "check_document", "parse_document"]
