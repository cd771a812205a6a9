"""A folder on an SFTP server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from automation.triggers.contract import SourceError
from automation.triggers.file_places.contract import MARKER, FileEntry, Gone, Unreadable
from integrations.runner import sftp
from integrations.runner.sftp import Files, Login, NoFile, RemoteEntry, SftpError

MOST_ENTRIES = 200_000  # of one look: files, folders and all else


class ServerFolder:
    """A folder as a login sees it."""

    def __init__(self, files: Files, folder: str) -> None:
        self._files = files
        self._folder = folder.rstrip("/") or ("/" if folder else ".")

    def files(self, depth: int) -> Iterator[FileEntry]:
        """Regular files, folder by folder."""
        folders, seen = [("", 1)], 0
        while folders:
            inner, level = folders.pop()
            try:
                for found in self._files.entries(self._at(inner)):
                    seen += 1
                    if seen > MOST_ENTRIES:
                        raise SourceError(f"More than {MOST_ENTRIES:,} names stand there.", code="too_many_files")
                    path = f"{inner}/{found.name}" if inner else found.name
                    if found.is_file:
                        yield _entry(path, found)
                    elif found.is_folder and level < depth:
                        folders.append((path, level + 1))
            except NoFile as error:
                if not inner:
                    raise SourceError(error.message, code="no_folder") from error

    def read(self, entry: FileEntry) -> Iterator[bytes]:
        """The bytes, if the file is the same before and after."""
        self._require_same(entry)
        try:
            yield from self._files.read(self._at(entry.path), entry.size)
        except NoFile as error:
            raise Unreadable(error.message) from error
        self._require_same(entry)

    def look(self, path: str) -> FileEntry | None:
        """The regular file at a path."""
        found = self._files.look(self._at(path))
        return _entry(path, found) if found and found.is_file else None

    def delete(self, entry: FileEntry) -> None:
        """Delete the file."""
        with _told():
            self._files.remove(self._at(entry.path))

    def move(self, entry: FileEntry, folder: str) -> None:
        """Rename the file; servers refuse to do so over another one, and it is looked at before."""
        with _told():
            made = "/" if folder.startswith("/") else ""
            for part in folder.strip("/").split("/"):
                made = f"{made}{part}"
                self._files.make_folder(made)
                made = f"{made}/"
            for name in (entry.name, f"{entry.stamp}-{entry.name}"):
                if self._files.look(f"{made}{name}") is None:
                    self._files.rename(self._at(entry.path), f"{made}{name}")
                    return
        raise Unreadable(f"there is a file of its name in {folder!r} already")

    def mark(self, entry: FileEntry) -> None:
        """Write the marker."""
        with _told():
            self._files.make_empty(self._at(entry.path) + MARKER)

    def _at(self, path: str) -> str:
        return f"{self._folder.rstrip('/')}/{path}" if path else self._folder

    def _require_same(self, entry: FileEntry) -> None:
        found = self.look(entry.path)
        if found is None or found.version != entry.version:
            raise Gone


@contextmanager
def opened(login: Login, folder: str) -> Iterator[ServerFolder]:
    """The folder after the login. Raises SourceError."""
    try:
        with sftp.opened(login) as files:
            yield ServerFolder(files, folder)
    except SftpError as error:
        raise SourceError(error.message, code=error.code) from error


def _entry(path: str, found: RemoteEntry) -> FileEntry:
    return FileEntry(path, found.size, str(found.modified), datetime.fromtimestamp(found.modified, UTC))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SftpError as error:
        raise Unreadable(error.message) from error
