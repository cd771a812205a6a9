"""The database backend (Django looks for it in a module named `base`)."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL over psycopg2; kept connections are checked by looking at the socket.

    Django's own check sends `SELECT 1` once a request (two context switches, about 0.1 ms). A server that ended the
    connection has left a message or an end-of-file in the socket, so an idle connection with nothing to read is alive.
    """

    def is_usable(self) -> bool:
        """True when the connection can serve the next statement."""
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred or _has_something_to_read(self.connection.fileno()):
            return bool(super().is_usable())
        return True


def _has_something_to_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLERR | select.POLLHUP)
    return bool(poll.poll(0))
