"""A folder of this machine, below a root that the operator has opened.

Every folder on the way is opened by its name in the one before, never through a link: nothing that somebody puts in
place of a folder or file between two calls leads out of the root.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import PurePosixPath

from automation.triggers.contract import SourceError
from automation.triggers.file_places.contract import MARKER, FileEntry, Gone, Unreadable

PIECE_BYTES = 256 << 10
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not make anybody wait
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK})  # file systems that have no second names
_MARKER = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalFolder:
    """A folder below a root. `folder` is relative to it, "" for the root itself; checked to hold no `..`."""

    def __init__(self, root: str, folder: str) -> None:
        self._root = root
        self._folder = _parts(folder)

    def files(self, depth: int) -> Iterator[FileEntry]:
        """Regular files, folder by folder."""
        folders: list[tuple[str, ...]] = [()]
        while folders:
            inner = folders.pop()
            try:
                found = self._listed(inner)
            except OSError as error:
                if not inner:
                    raise self._no_folder(error) from error
                continue  # a folder that is gone, or closed to us
            for name, status in found:
                if stat.S_ISREG(status.st_mode):
                    yield _entry("/".join((*inner, name)), status)
                elif stat.S_ISDIR(status.st_mode) and len(inner) + 1 < depth:
                    folders.append((*inner, name))

    def read(self, entry: FileEntry) -> Iterator[bytes]:
        """The bytes, if they are still those that were listed, before and after."""
        with self._parent(entry) as parent:
            try:
                file = os.open(entry.name, _FILE, dir_fd=parent)
            except FileNotFoundError as error:
                raise Gone from error
            except OSError as error:
                raise Unreadable(_said(error)) from error
        with os.fdopen(file, "rb", buffering=0) as stream:
            _require_same(entry, os.fstat(stream.fileno()))
            left = entry.size
            while left and (piece := stream.read(min(PIECE_BYTES, left))):
                left -= len(piece)
                yield piece
            _require_same(entry, os.fstat(stream.fileno()))

    def look(self, path: str) -> FileEntry | None:
        """The regular file at a path."""
        try:
            with self._opened(self._folder + _parts(path)[:-1]) as parent:
                status = os.stat(PurePosixPath(path).name, dir_fd=parent, follow_symlinks=False)
        except OSError:
            return None
        return _entry(path, status) if stat.S_ISREG(status.st_mode) else None

    def delete(self, entry: FileEntry) -> None:
        """Delete the file."""
        with self._parent(entry) as parent, _told(), suppress(FileNotFoundError):
            os.unlink(entry.name, dir_fd=parent)

    def move(self, entry: FileEntry, folder: str) -> None:
        """Link the file into the folder, then drop its old name: killed in between, it has both."""
        with self._parent(entry) as parent, _told(), self._opened(_parts(folder), makes=True) as target:
            for name in (entry.name, f"{entry.stamp}-{entry.name}"[-255:]):
                if _has_moved(parent, entry.name, target, name):
                    return
        raise Unreadable(f"there is a file of its name in {folder!r} already")

    def mark(self, entry: FileEntry) -> None:
        """Write the marker; one that is there is enough."""
        with self._parent(entry) as parent, _told(), suppress(FileExistsError):
            os.close(os.open(entry.name + MARKER, _MARKER, 0o644, dir_fd=parent))

    def _listed(self, inner: tuple[str, ...]) -> list[tuple[str, os.stat_result]]:
        found = []
        with self._opened(self._folder + inner) as folder, os.scandir(folder) as entries:
            for one in entries:
                with suppress(FileNotFoundError):
                    found.append((one.name, one.stat(follow_symlinks=False)))
        return found

    @contextmanager
    def _parent(self, entry: FileEntry) -> Iterator[int]:
        """The open folder that a file stands in. Raises Gone when it does not any more."""
        try:
            parent = self._open(self._folder + _parts(entry.path)[:-1])
        except OSError as error:
            raise Gone from error
        try:
            yield parent
        finally:
            os.close(parent)

    @contextmanager
    def _opened(self, parts: tuple[str, ...], *, makes: bool = False) -> Iterator[int]:
        folder = self._open(parts, makes=makes)
        try:
            yield folder
        finally:
            os.close(folder)

    def _open(self, parts: tuple[str, ...], *, makes: bool = False) -> int:
        """A folder below the root, each part opened in the one before. Raises OSError."""
        # the root itself is the operator's: it may be a link
        found = os.open(self._root, _FOLDER & ~os.O_NOFOLLOW)
        for part in parts:
            try:
                if makes:
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=found)
                inner = os.open(part, _FOLDER, dir_fd=found)
            finally:
                os.close(found)
            found = inner
        return found

    def _no_folder(self, error: OSError) -> SourceError:
        folder = "/".join(self._folder) or "/"
        return SourceError(f"The folder {folder!r} cannot be read: {_said(error)}.", code="no_folder")


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _entry(path: str, status: os.stat_result) -> FileEntry:
    modified = datetime.fromtimestamp(max(status.st_mtime, 0), UTC)
    return FileEntry(path, status.st_size, str(status.st_mtime_ns), modified)


def _require_same(entry: FileEntry, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) or _entry(entry.path, status).version != entry.version:
        raise Gone


def _has_moved(parent: int, name: str, target: int, to: str) -> bool:
    """Move a file, unless another one has that name in the target; true also when somebody else has moved it."""
    try:
        os.link(name, to, src_dir_fd=parent, dst_dir_fd=target, follow_symlinks=False)
    except FileNotFoundError:
        return True
    except FileExistsError:
        if not _is_same(parent, name, target, to):
            return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if _exists(target, to):
            return False
        os.rename(name, to, src_dir_fd=parent, dst_dir_fd=target)
        return True
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)
    return True


def _is_same(parent: int, name: str, target: int, to: str) -> bool:
    """True when both names are of one file: a move was cut off between them."""
    try:
        one = os.stat(name, dir_fd=parent, follow_symlinks=False)
        return os.path.samestat(one, os.stat(to, dir_fd=target, follow_symlinks=False))
    except FileNotFoundError:
        return True


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unreadable(_said(error)) from error


def _said(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
