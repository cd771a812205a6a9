"""Every statement of the outbox plans with the index it was written for, however many deliveries wait."""

from __future__ import annotations

import uuid

import orjson
import pytest
from django.db import connection

from automation.tests.store.statements import plan_of
from webhooks.store import outbound as store
from webhooks.tests import make
from webhooks.tests.outbound.rows import subscribe

pytestmark = pytest.mark.django_db
ID = uuid.uuid4()
ROW = {"workspace_id": ID, "subscription_id": ID, "event_id": "x", "type": "x", "workflow_id": None, "body": {}}
CASES = {
    "CLAIM_ALONE": ((1,), ()),
    "CLAIM": (
        {"lease": 1.0, "shaky": 3, "crowded": 8},
        ("outbound_due", "outbound_under_way", "webhooks_subscription_pkey"),
    ),
    "HAS_DUE": ((), ("outbound_next",)),
    "PUT": ({"rows": orjson.dumps([ROW]).decode(), "lifetime": 1.0}, ()),
    "SEND_AGAIN": ({"ids": [ID], "pause": 1.0, "lifetime": 1.0}, ("webhooks_outbounddelivery_pkey",)),
    "LISTENING": (([ID],), ("webhooks_subscription_pkey",)),
    "TAGS": (([ID],), ("automation_workflow_pkey",)),
    "FORGET": ((30, 500), ("outbound_age", "outbound_attempts")),
}
FILL = """
insert into webhooks_subscription (id, workspace_id, description, url, types, workflow_ids, tags, is_active, off_reason,
                                   header_names, secret, max_parallel, failures)
select gen_random_uuid(), w.id, '', 'https://x', '["*"]', '[]', '[]', true, '', '[]', 'x', 4, 0
from accounts_workspace w, generate_series(1, 300);
insert into automation_workflow (id, workspace_id, name, definition, description, tags, meta_data, is_active, version,
                                 revision)
select gen_random_uuid(), w.id, 'w' || n, '{}', '', '[]', '{}', true, '1.0.0', 1
from accounts_workspace w, generate_series(1, 300) n;
insert into webhooks_outbounddelivery (id, workspace_id, subscription_id, event_id, type, body, is_test, state, attempts,
                                       next_at, sending_until, ends_at, last_error, created_at)
select gen_random_uuid(), s.workspace_id, s.id, n::text, 'x', '{}', false, case n when 1 then 'pending' else 'sent' end,
       0, now() + n * interval '1 minute', case n when 1 then now() end, now(), '', now() - n * interval '1 hour'
from webhooks_subscription s, generate_series(1, 40) n;
insert into webhooks_outboundattempt (delivery_id, began_at, duration_ms, error, answer)
select id, now(), 1, '', '' from webhooks_outbounddelivery;
analyze webhooks_subscription; analyze webhooks_outbounddelivery; analyze webhooks_outboundattempt;
analyze automation_workflow;
"""


def test_no_statement_is_left_out():
    texts = {name for name, value in vars(store).items() if name.isupper() and isinstance(value, str)}

    assert texts == CASES.keys()


def test_each_statement_plans_with_the_indexes_it_was_written_for():
    make.workspace()
    with connection.cursor() as cursor:
        cursor.execute(FILL)

    plans = {name: plan_of(getattr(store, name), parameters) for name, (parameters, _) in CASES.items()}

    missed = {
        name: [index for index in indexes if index not in plans[name]]
        for name, (_, indexes) in CASES.items()
        if not all(index in plans[name] for index in indexes)
    }
    assert missed == {}, "\n\n".join(f"{name}\n{plans[name]}" for name in missed)


def test_one_subscription_with_very_many_deliveries_is_hopped_over():
    home = make.workspace()
    subscribe(home, "https://x")
    with connection.cursor() as cursor:
        cursor.execute(FILL)
        cursor.execute(
            "insert into webhooks_outbounddelivery (id, workspace_id, subscription_id, event_id, type, body, is_test,"
            " state, attempts, next_at, ends_at, last_error) select gen_random_uuid(), workspace_id, id, 'm' || n, 'x',"
            " '{}', false, 'pending', 0, now() + interval '1 hour', now(), '' from (select * from webhooks_subscription"
            " limit 1) s, generate_series(1, 5000) n"
        )
        cursor.execute("analyze webhooks_outbounddelivery")

    plan = plan_of(store.CLAIM, CASES["CLAIM"][0])

    assert "Seq Scan on webhooks_outbounddelivery" not in plan
