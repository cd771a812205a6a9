"""Objects of a bucket below a prefix. They are there whole or not at all, so nobody waits for them to grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from automation.triggers.contract import SourceError
from automation.triggers.file_places.contract import MARKER, FileEntry, Gone, Unreadable
from integrations.runner.s3 import Bucket, S3Error, Stored

_NOT_THAT_ONE = frozenset({404, 412})  # gone, or another one by now
_SHORT_TAG = 8


class BucketFolder:
    """The objects below a prefix, which ends with a slash or is empty."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix

    def files(self, depth: int) -> Iterator[FileEntry]:
        """Objects, without those that only stand for a folder."""
        for found in self._bucket.objects(self._prefix, delimiter="/" if depth == 1 else ""):
            path = found.key.removeprefix(self._prefix)
            if path and not path.endswith("/") and path.count("/") < depth:
                yield _entry(path, found)

    def read(self, entry: FileEntry) -> Iterator[bytes]:
        """The bytes of the object that was listed."""
        try:
            yield from self._bucket.read(self._stored(entry))
        except S3Error as error:
            if error.status in _NOT_THAT_ONE:
                raise Gone from error
            raise Unreadable(error.message) from error

    def look(self, path: str) -> FileEntry | None:
        """The object at a path."""
        found = self._bucket.head(self._prefix + path)
        return _entry(path, found) if found else None

    def delete(self, entry: FileEntry) -> None:
        """Delete the object."""
        with _told():
            self._bucket.delete(self._prefix + entry.path)

    def move(self, entry: FileEntry, folder: str) -> None:
        """Copy the object, then delete it: killed in between, it is copied again."""
        with _told():
            for name in (entry.name, f"{entry.stamp[:_SHORT_TAG]}-{entry.name}"):
                to = f"{folder.strip('/')}/{name}"
                there = self._bucket.head(to)
                if there is None:
                    self._bucket.copy(self._stored(entry), to)
                if there is None or there.etag == entry.stamp:
                    self._bucket.delete(self._prefix + entry.path)
                    return
        raise Unreadable(f"there is an object of its name in {folder!r} already")

    def mark(self, entry: FileEntry) -> None:
        """Write the marker."""
        with _told():
            self._bucket.put(self._prefix + entry.path + MARKER, b"")

    def _stored(self, entry: FileEntry) -> Stored:
        return Stored(self._prefix + entry.path, entry.size, entry.stamp)


@contextmanager
def told() -> Iterator[None]:
    """What a bucket refuses, as an error of the source."""
    try:
        yield
    except S3Error as error:
        raise SourceError(error.message, code=error.code, retry_after_seconds=error.retry_after_seconds) from error


def _entry(path: str, found: Stored) -> FileEntry:
    return FileEntry(path, found.size, found.etag, found.modified_at, is_whole=True)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        raise Unreadable(error.message) from error
