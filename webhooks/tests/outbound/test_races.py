"""Nothing is lost and nothing is sent by two at once: senders that are killed, two of them, and a real worker."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from automation.engine import points
from automation.tests.conftest import runtime as runtime
from automation.tests.threads import beside_each_other
from brainops.accounts.models import Workspace
from brainops.accounts.services import workspace_deletion
from tests.live import environment
from webhooks.models import OutboundAttempt, OutboundDelivery, Subscription
from webhooks.services import outbound_sending, subscriptions
from webhooks.services.outbound_sending import send_next
from webhooks.store.outbound import LEASE_SECONDS
from webhooks.tests import make
from webhooks.tests.outbound.receiver import LONG
from webhooks.tests.outbound.rows import dispatch_all, pass_time, publish, put, send_all, subscribe

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def home(transactional_db):
    return make.workspace()


@pytest.mark.parametrize(("point", "arrived"), [("before_outbound", 0), ("after_outbound", 1)])
def test_a_sender_that_is_killed_leaves_the_delivery_to_the_next_under_the_same_id(home, receiver, point, arrived):
    delivery = put(subscribe(home, receiver.url))
    command = [sys.executable, "-W", "ignore", "-m", "webhooks.tests.outbound.dying_sender", point]

    died = subprocess.run(command, check=False, cwd=ROOT, env=environment(receiver.address), timeout=100)

    assert (died.returncode, len(receiver.got)) == (-signal.SIGKILL, arrived)
    delivery.refresh_from_db()
    assert (delivery.state, OutboundAttempt.objects.count()) == ("pending", 0)
    assert send_next() is False  # its lease still runs
    pass_time(seconds=LEASE_SECONDS)
    assert send_next() is True
    delivery.refresh_from_db()
    assert (delivery.state, len(receiver.got)) == ("sent", arrived + 1)
    assert {got.headers["webhook-id"] for got in receiver.got} == {str(delivery.id)}


def test_two_senders_never_send_the_same_delivery(home, receiver):
    for _ in range(3):
        subscription = subscribe(home, receiver.url)
        for _ in range(6):
            put(subscription)

    beside_each_other(*[send_all] * 4)
    send_all()  # what was held back by the number under way when the last of them looked

    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert (len(ids), len(set(ids))) == (18, 18)
    assert set(OutboundDelivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_however_many_claim_at_once_a_subscription_keeps_its_number(home):
    subscription = subscribe(home, "http://x/", max_parallel=3)
    for _ in range(12):
        put(subscription)
    claimed = []

    beside_each_other(*[lambda: claimed.append(outbound_sending.claim())] * 8)

    assert sum(one is not None for one in claimed) == 3


def test_whoever_lost_the_delivery_to_another_does_not_undo_what_that_one_noted(home, receiver):
    put(subscribe(home, receiver.url))
    overtaken = []

    def hook(point):
        if point == "before_outbound" and not overtaken:
            overtaken.append(True)
            pass_time(seconds=LEASE_SECONDS)
            beside_each_other(send_next)
            receiver.close()  # the first one finds nobody

    points.hook = hook
    try:
        send_next()
    finally:
        points.hook = None

    row = OutboundDelivery.objects.get()
    assert (row.state, row.attempts, row.last_error) == ("sent", 2, "")
    assert OutboundAttempt.objects.count() == 2


def test_a_subscription_may_be_deleted_while_it_is_sent_something(home, receiver):
    subscription = subscribe(home, receiver.url)
    put(subscription)
    owner = make.caller(make.person(home), home)

    def hook(point):
        if point == "after_outbound":
            points.hook = None
            beside_each_other(lambda: subscriptions.delete(owner, subscription.id))

    points.hook = hook
    try:
        assert send_next() is True
    finally:
        points.hook = None

    assert (len(receiver.got), OutboundDelivery.objects.count(), Subscription.objects.count()) == (1, 0, 0)


def test_a_workspace_goes_with_its_subscriptions_while_it_is_sent_something(home, receiver):
    subscribe(home, receiver.url)
    publish(home)
    owner = make.caller(make.person(home), home)

    def hook(point):
        if point == "after_outbound":
            points.hook = None
            beside_each_other(lambda: workspace_deletion.delete(owner, confirm=home.slug))

    points.hook = hook
    try:
        assert send_next() is True
    finally:
        points.hook = None

    assert (Workspace.objects.filter(id=home.id).count(), Subscription.objects.count()) == (0, 0)
    assert (OutboundDelivery.objects.count(), OutboundAttempt.objects.count(), len(receiver.got)) == (0, 0, 1)


def test_switched_off_while_something_is_under_way_nothing_is_tried_again(home, receiver):
    subscription = subscribe(home, f"{receiver.url}")
    delivery = put(subscription)
    owner = make.caller(make.person(home), home)

    def hook(point):
        if point == "before_outbound":
            points.hook = None
            beside_each_other(lambda: subscriptions.change(owner, subscription.id, {"is_active": False}))
            receiver.close()

    points.hook = hook
    try:
        send_next()
    finally:
        points.hook = None

    delivery.refresh_from_db()
    assert (delivery.state, delivery.last_error) == ("dropped", "The subscription was switched off.")
    assert send_next() is False


def test_a_worker_sends_what_happens_by_itself_and_a_hanging_receiver_holds_up_no_other(home, receiver, runtime):
    slow = type(receiver)()
    free = threading.Event()
    slow.usual = slow.usual._replace(before=lambda: free.wait(LONG))
    subscribe(home, slow.url, max_parallel=1)
    subscribe(home, receiver.url)
    try:
        for number in range(3):
            publish(home, "order.paid", {"order": number})

        assert receiver.wait_for(3)
        assert slow.wait_for(1)
    finally:
        free.set()
        slow.usual = slow.usual._replace(before=lambda: None)
    assert slow.wait_for(3)
    deadline = time.monotonic() + LONG
    while OutboundDelivery.objects.filter(state="pending").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    slow.close()
    dispatch_all()
    assert set(OutboundDelivery.objects.values_list("state", flat=True)) == {"sent"}
