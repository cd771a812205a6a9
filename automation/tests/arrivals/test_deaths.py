"""A process dies over a source at every named point, really: the next one takes each thing once and tells the source."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from automation.models import Source
from automation.services.sources import follow
from automation.tests.arrivals.mortal import EXIT_CODE
from automation.tests.arrivals.rows import ledger, make_trigger, runs_of
from automation.triggers import all_trigger_kinds

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def mother(django_db_setup):
    """The process whose children die, on the test database."""
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = connection.settings_dict["NAME"]
    environment = {**os.environ, "DATABASE_URL": f"{base}/{name}", "BRAINOPS_LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-W", "ignore", "-m", "automation.tests.arrivals.mortal"]
    mother = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield mother
    mother.stdin.close()
    mother.wait(30)
    mother.stdout.close()


@pytest.mark.parametrize("point", ["after_poll", "in_take", "in_poll", "after_poll_commit", "after_settle"])
def test_a_process_dies_over_a_source_and_the_next_one_takes_each_thing_once(point, mother, inbox, tmp_path):
    trigger, settled = make_trigger(config={"first": "all"}), tmp_path / "settled"
    follow(all_trigger_kinds()["inbox"], trigger, None)

    def live(until):
        order = {"point": until, "things": ["a", "b"], "settled": str(settled)}
        mother.stdin.write(json.dumps(order) + "\n")
        mother.stdin.flush()
        return int(mother.stdout.readline())

    died = live(point)
    is_held = Source.objects.filter(next_at__gt=Now()).exists()
    Source.objects.update(next_at=Now())  # its lease is over
    lived = live(None)

    assert (died, is_held, lived) == (EXIT_CODE, True, 0)
    assert ledger(trigger) == {"a": "ran", "b": "ran"}
    assert len(runs_of(trigger)) == 2
    assert set(settled.read_text().split()) == {"a", "b"}
    assert (Source.objects.get().cursor, Source.objects.get().leased_until) == ({"at": 2}, None)
