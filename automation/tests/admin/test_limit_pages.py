"""The pages of limits: how full each is, who holds it, who waits."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from automation.engine.limits import Slot
from automation.store.intake import NewRun, insert_run
from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.triggers.rows import DEFINITION, make_workflow

pytestmark = pytest.mark.django_db

LIST, PAGE = "/admin/automation/limit/", "/admin/automation/limit/page/"


@pytest.fixture
def limited():
    return make_workflow(definition={**DEFINITION, "settings": {"concurrency": {"limit": 1}}})


def start(workflow, value, count):
    slot = Slot(f"{workflow.id}:{value}")
    new = NewRun(workflow.workspace_id, workflow.id, workflow.current_version_id, inputs={}, slot=slot)
    with transaction.atomic(), connection.cursor() as cursor:
        return [insert_run(cursor, new).uid for _ in range(count)]


def test_the_list_counts_for_all_its_rows_at_once(admin_of_all, limited, django_assert_max_num_queries):
    for number in range(20):
        start(limited, f"customer {number}", 2)
    start(limited, EVIL, 1)

    with django_assert_max_num_queries(9):
        html = admin_of_all.get(LIST).content.decode()

    assert html.count(PAGE) == 21
    assert "customer 7" in html
    assert EVIL not in html


def test_the_page_shows_who_holds_a_slot_and_who_waits(admin_of_all, limited):
    held, first, second = start(limited, "a/b&c=d", 3)

    html = admin_of_all.get(PAGE, {"key": f"{limited.id}:a/b&c=d"}).content.decode()

    under_way, waiting = html.split(">Waiting<")
    assert "1 of 1 under way, 2 waiting" in under_way
    assert f"/admin/automation/run/{held}/" in under_way
    assert waiting.index(f"/admin/automation/run/{first}/") < waiting.index(f"/admin/automation/run/{second}/")


def test_the_page_of_a_blocked_run_leads_to_its_limit(admin_of_all, limited):
    _, blocked = start(limited, "x", 2)

    html = admin_of_all.get(f"/admin/automation/run/{blocked}/").content.decode()

    assert "of 1 that wait it is number 1" in html
    assert f'href="{PAGE}?key={limited.id}%3Ax"' in html


@pytest.mark.parametrize("key", ["", "nobody", "\x00"])
def test_a_key_of_no_limit_is_not_found(admin_of_all, limited, key):
    assert admin_of_all.get(PAGE, {"key": key}).status_code == 404


def test_who_may_not_look_sees_nothing(limited):
    start(limited, "x", 1)
    nobody = make_staff("view_worker")

    assert nobody.get(LIST).status_code == 403
    assert nobody.get(PAGE, {"key": f"{limited.id}:x"}).status_code == 404
