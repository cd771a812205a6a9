"""A watch inside PostgreSQL: at each commit it counts how many runs of the touched limits are under way.

A deferred constraint trigger runs at the commit; an advisory lock, held until the commit is visible, makes the checks
follow each other. So every commit is seen, and none in between is missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

SET_UP = """
create table limit_watch (key text, under_way int, capacity int);
create function limit_watch_commit() returns trigger language plpgsql as $$
declare held int; most int;
begin
  perform pg_advisory_xact_lock(hashtext('limit_watch'));
  select count(*) into held from automation_run where limit_key = new.limit_key and status in (10, 18, 20, 30);
  select capacity into most from automation_limit where key = new.limit_key;
  insert into limit_watch values (new.limit_key, held, most);
  return null;
end $$;
create constraint trigger limit_watch after insert or update of status on automation_run
deferrable initially deferred for each row when (new.limit_key is not null)
execute function limit_watch_commit();
"""
TAKE_DOWN = """
drop trigger limit_watch on automation_run;
drop function limit_watch_commit();
drop table limit_watch;
"""


@contextmanager
def watched_limits() -> Iterator[None]:
    """Watch every commit inside the block."""
    with connection.cursor() as cursor:
        cursor.execute(SET_UP)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(TAKE_DOWN)


def seen() -> tuple[int, int, list[tuple[str, int, int]]]:
    """How many commits were checked, the most runs under way at one of them, and the commits with too many."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*), coalesce(max(under_way), 0) from limit_watch")
        checked, most = cursor.fetchone()
        cursor.execute("select key, under_way, capacity from limit_watch where under_way > capacity")
        return checked, most, cursor.fetchall()
