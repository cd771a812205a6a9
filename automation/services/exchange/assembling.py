"""Assembly: a file being written, portion by portion, by one process or by several after one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from automation.models import Workflow
from automation.services.exchange import form
from automation.services.exchange.rows import PORTION, Exported, Place, Shape, portion
from automation.services.exchange.writing import WRITERS, Writer
from brainops.core import clock

Json = Any

PRODUCT = "BrainOps"


@dataclass(slots=True)
class Assembly:
    """What stands in the file so far: where to go on, the sums, the writer. `saved` is all of it as JSON."""

    writer: Writer
    shape: Shape
    after: Place | None = None
    chain: str = form.EMPTY_CHAIN
    counts: dict[str, int] = field(default_factory=lambda: {"workflows": 0, "versions": 0, "triggers": 0})
    is_over: bool = False

    @classmethod
    def begin(cls, key: str, shape: Shape) -> Assembly:
        """A new file in one of the FORMS."""
        return cls(WRITERS[key](), shape)

    @classmethod
    def resume(cls, key: str, shape: Shape, saved: Mapping[str, Json]) -> Assembly:
        """Go on where `saved` was taken."""
        after = saved["after"] and Place(datetime.fromisoformat(saved["after"][0]), UUID(saved["after"][1]))
        return cls(WRITERS[key](saved["writer"]), shape, after, saved["chain"], dict(saved["counts"]))

    def saved(self) -> dict[str, Json]:
        """The state after a `flush`."""
        after = [self.after.created_at.isoformat(), str(self.after.id)] if self.after else None
        return {"after": after, "chain": self.chain, "counts": self.counts, "writer": self.writer.state}

    def start(self) -> bytes:
        """The beginning of the file."""
        frame = {
            "format": form.FORMAT,
            "format_version": form.FORMAT_VERSION,
            "product": PRODUCT,
            "exported_at": clock.now().isoformat(timespec="seconds"),
        }
        return self.writer.pack(self.writer.begin(frame))

    def portion(self, rows: QuerySet[Workflow]) -> Iterator[bytes]:
        """The next workflows of the queryset."""
        before = self.counts["workflows"]
        for exported in portion(rows, self.shape, after=self.after):
            for piece in self._workflow(exported):
                yield self.writer.pack(piece)
        self.is_over = self.counts["workflows"] - before < PORTION

    def flush(self) -> bytes:
        """What the writer holds back."""
        return self.writer.flush()

    def finish(self) -> bytes:
        """The end of the file."""
        trailer = {"counts": self.counts, "checksum": self.chain}
        end = self.writer.pack(self.writer.end(trailer, is_empty=not self.counts["workflows"]))
        return end + self.writer.finish()

    def _workflow(self, exported: Exported) -> Iterator[bytes]:
        running = form.workflow_checksum(exported.head)
        yield self.writer.head(exported.head, is_first=not self.counts["workflows"])
        versions = 0
        for version in exported.history:
            form.add_version(running, version)
            yield self.writer.version(version, is_first=not versions)
            versions += 1
        checksum = running.hexdigest()
        yield self.writer.close(checksum, has_history=versions > 0)
        self.chain = form.chained(self.chain, checksum)
        self.after = exported.place
        self.counts["workflows"] += 1
        self.counts["versions"] += versions + 1
        self.counts["triggers"] += len(exported.head.get("triggers", ()))


def whole(key: str, rows: QuerySet[Workflow], shape: Shape) -> Iterator[bytes]:
    """A whole file. The queryset is read in portions while the bytes are taken."""
    assembly = Assembly.begin(key, shape)
    yield assembly.start()
    while not assembly.is_over:
        yield from assembly.portion(rows)
    yield assembly.finish()
