"""Files of a delivery become stored files, which its run takes hold of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from automation.services import files
from webhooks.services.outcomes import Genuine
from webhooks.services.parts import FilePart, placed


def stored(workspace_id: UUID, genuine: Genuine) -> Genuine:
    """The delivery with references in place of its files, each stored once. Raises TooLarge and QuotaExceeded.

    Belongs into the transaction that starts the run: if that starts none, no file stays.
    """
    known: dict[int, Any] = {}  # a file stands in the body and among the inputs

    def keep(part: FilePart) -> Any:
        if id(part) not in known:
            known[id(part)] = files.keep(workspace_id, part.name, part.content_type, part.data)
        return known[id(part)]

    return replace(genuine, body=placed(genuine.body, keep), inputs=placed(genuine.inputs, keep))
