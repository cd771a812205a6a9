"""What every test may rely on."""

import pytest
from django.db import connection

from brainops.core.ratelimit.limiter import limiter


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let transactional tests empty the tables again: the audit tables refuse TRUNCATE, except here."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("audit_auditentry", "audit_auditseal"):
            cursor.execute(f"alter table {table} disable trigger audit_no_truncate")


@pytest.fixture(autouse=True)
def _fresh_rate_limits():
    """No test finds buckets that another one has emptied."""
    limiter.start_anew()
