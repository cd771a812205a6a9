"""What subscriptions are sent, to a real receiver: signed, again when it fails, and no longer when it is gone."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from standardwebhooks import Webhook, WebhookVerificationError

from brainops.core import clock
from brainops.core.standard_webhooks import new_secret
from webhooks.models import OutboundAttempt, OutboundDelivery, Subscription
from webhooks.services import outbound_outcomes, outbound_sending
from webhooks.services.outbound_sending import send_next
from webhooks.store.outbound import LEASE_SECONDS
from webhooks.tests.outbound.receiver import LONG, Answer
from webhooks.tests.outbound.rows import AT, come_back, pass_time, publish, put, send_all, subscribe

pytestmark = pytest.mark.django_db


def outcome() -> tuple[str, int, str]:
    row = OutboundDelivery.objects.get()
    return row.state, row.attempts, row.last_error


def tries() -> list[tuple[int | None, str]]:
    return list(OutboundAttempt.objects.order_by("id").values_list("status", "error"))


def test_an_event_arrives_signed_so_that_the_official_library_verifies_it(home, receiver):
    subscription = subscribe(home, receiver.url)
    event_id = publish(home, "order.paid", {"order": 7, "note": "Grüße"})

    assert send_all() == 1

    (got,) = receiver.got
    delivery = OutboundDelivery.objects.get()
    said = Webhook(subscription.secret).verify(got.body, got.headers)
    assert said == {"type": "order.paid", "timestamp": AT, "data": {"order": 7, "note": "Grüße"}}
    assert (got.headers["webhook-id"], delivery.event_id) == (str(delivery.id), str(event_id))
    assert (got.headers["content-type"], got.headers["user-agent"]) == ("application/json", "BrainOps-Webhooks")
    assert (outcome(), tries()) == (("sent", 1, ""), [(204, "")])
    with pytest.raises(WebhookVerificationError):
        Webhook(subscription.secret).verify(got.body + b" ", got.headers)


def test_while_a_secret_is_exchanged_both_sign(home, receiver):
    old, new = new_secret(), new_secret()
    soon = clock.now() + timedelta(hours=1)
    subscription = subscribe(home, receiver.url, secret=new, previous_secret=old, previous_valid_until=soon)
    put(subscription)

    send_all()

    (got,) = receiver.got
    assert len(got.headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        Webhook(secret).verify(got.body, got.headers)


def test_a_secret_whose_time_is_over_signs_no_more(home, receiver):
    old = new_secret()
    ago = clock.now() - timedelta(seconds=1)
    put(subscribe(home, receiver.url, previous_secret=old, previous_valid_until=ago))

    send_all()

    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(receiver.got[0].body, receiver.got[0].headers)


def test_headers_of_a_subscription_are_sent_and_not_kept_when_the_receiver_repeats_them(home, receiver):
    token = "Bearer t0ken-of-the-receiver"
    receiver.usual = Answer(200, body=b'{"you_sent": "t0ken-of-the-receiver"}')
    put(subscribe(home, receiver.url, headers={"Authorization": token, "X-Team": "ops"}))

    send_all()

    (got,) = receiver.got
    assert (got.headers["authorization"], got.headers["x-team"]) == (token, "ops")
    assert OutboundAttempt.objects.get().answer == '{"you_sent": "•••"}'


def test_a_receiver_that_fails_gets_it_again_under_the_same_id(home, receiver):
    receiver.answers = [Answer(500, body=b"try later")]
    put(subscribe(home, receiver.url))

    send_all()
    assert outcome() == ("pending", 1, "The receiver answered 500: try later")
    come_back()
    send_all()

    assert (outcome(), tries()) == (("sent", 2, ""), [(500, ""), (204, "")])
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1


def test_a_pause_that_the_receiver_asks_for_is_kept_for_everything_it_is_sent(home, receiver):
    receiver.answers = [Answer(429, {"Retry-After": "600"})]
    subscription = subscribe(home, receiver.url)
    first, second = put(subscription), put(subscription)
    before = clock.now()

    assert send_all() == 1

    first.refresh_from_db()
    subscription.refresh_from_db()
    assert (first.next_at - before >= timedelta(seconds=600), second.attempts) == (True, 0)
    assert subscription.held_until - before >= timedelta(seconds=600)
    pass_time(seconds=601)
    assert send_all() == 2
    assert set(OutboundDelivery.objects.values_list("state", flat=True)) == {"sent"}


def test_a_redirect_is_not_followed(home, receiver):
    receiver.answers = [Answer(302, {"Location": "http://169.254.169.254/"})]
    put(subscribe(home, receiver.url))

    send_all()

    assert (outcome(), len(receiver.got)) == (("pending", 1, "The receiver answered 302: an empty body"), 1)


def test_an_address_that_the_door_refuses_is_never_called(home):
    put(subscribe(home, "http://169.254.169.254/latest/meta-data"))

    send_all()

    assert outcome()[2].startswith("blocked_target: ")


def test_who_said_that_it_was_taken_has_taken_it_however_long_the_rest_of_the_answer_is(home, receiver):
    receiver.answers = [Answer(200, body=b"x" * 200_000), Answer(500, body=b"x" * 200_000)]
    subscription = subscribe(home, receiver.url)

    put(subscription)
    send_all()
    assert (outcome(), tries()[0][0]) == (("sent", 1, ""), 200)
    assert tries()[0][1].startswith("too_large: ")

    OutboundDelivery.objects.all().delete()
    put(subscription)
    send_all()
    assert outcome()[:2] == ("pending", 1)


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (b"", "pending"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "pending"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "sent"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nhalf", "pending"),
        (b"no HTTP at all\r\n\r\n", "pending"),
    ],
    ids=["nothing", "half a head", "half a body", "half a refusal", "noise"],
)
def test_a_receiver_that_hangs_up_early_has_taken_it_only_if_it_said_so(home, receiver, raw, state):
    receiver.answers = [Answer(raw=raw)]
    put(subscribe(home, receiver.url))

    send_all()

    assert outcome()[0] == state


def test_a_receiver_that_hangs_is_left_after_its_time(home, receiver, monkeypatch):
    free = threading.Event()
    monkeypatch.setattr(outbound_sending, "ATTEMPT_SECONDS", 0.3)
    receiver.usual = Answer(before=lambda: free.wait(LONG))
    put(subscribe(home, receiver.url))

    send_all()
    assert (outcome()[:2], tries()[0][0]) == (("pending", 1), None)
    monkeypatch.undo()
    receiver.usual = Answer()
    free.set()
    come_back()
    send_all()

    assert outcome() == ("sent", 2, "")


def test_what_is_kept_of_an_answer_is_one_short_line_without_secrets(home, receiver):
    said = b"Authorization: Bearer abcdefghijkl\n\x00line two\n" + b"x" * 5_000
    receiver.answers = [Answer(200, body=said)]
    put(subscribe(home, receiver.url))

    send_all()

    answer = OutboundAttempt.objects.get().answer
    assert answer.startswith("Authorization: ••• ")
    assert (len(answer), answer[-1], "\n" in answer) == (1_001, "…", False)


def test_pauses_grow_for_24_hours_and_then_it_is_given_up(home, receiver):
    receiver.usual = Answer(500)
    put(subscribe(home, receiver.url))
    lived = timedelta()
    while OutboundDelivery.objects.get().state == "pending":
        before = OutboundDelivery.objects.get()
        assert send_all() == 1
        row = OutboundDelivery.objects.get()
        pause = row.next_at - clock.now() if row.state == "pending" else timedelta()
        # 15 s, 30 s, … an hour at most
        assert pause <= timedelta(seconds=min(3_600, 15 * 2**before.attempts)), before.attempts
        lived += max(pause, timedelta())
        pass_time(seconds=max(pause.total_seconds(), 0) + 0.001)
        Subscription.objects.update(held_until=None)

    row = OutboundDelivery.objects.get()
    assert (row.state, row.last_error) == ("failed", "The receiver answered 500: an empty body")
    assert timedelta(hours=23, minutes=50) < lived < timedelta(hours=24, minutes=10)
    last = OutboundAttempt.objects.latest("id")
    assert (OutboundAttempt.objects.count(), last.next_at) == (row.attempts, None)
    assert row.attempts >= 24  # an hour at most between two


def test_a_receiver_that_fails_again_and_again_is_asked_by_one_delivery_at_a_time_and_seldom(
    home, receiver, monkeypatch
):
    monkeypatch.setattr(outbound_outcomes, "FIRST_HOLD_SECONDS", 300.0)
    receiver.usual = Answer(500)
    subscription = subscribe(home, receiver.url)
    for _ in range(5):
        put(subscription)

    assert send_all() == 3  # then it is held back

    subscription.refresh_from_db()
    assert (subscription.failures, subscription.held_until > clock.now()) == (3, True)
    assert subscription.failing_since is not None
    come_back()
    receiver.usual = Answer(200)
    assert send_all() == 5
    subscription.refresh_from_db()
    assert (subscription.failures, subscription.failing_since, subscription.held_until) == (0, None, None)


def test_a_receiver_that_fails_holds_up_no_other(home, receiver):
    failing = subscribe(home, "http://127.0.0.1:1/")
    for _ in range(20):
        put(failing)
    put(subscribe(home, receiver.url))

    send_all()

    assert len(receiver.got) == 1


def test_no_more_than_its_number_of_deliveries_are_under_way_for_one_subscription(home):
    slow, other = subscribe(home, "http://x/", max_parallel=2), subscribe(home, "http://y/")
    for _ in range(5):
        put(slow)
    put(other)

    claimed = [outbound_sending.claim() for _ in range(4)]

    rows = OutboundDelivery.objects.filter(id__in=[one for one in claimed if one])
    assert sorted(rows.values_list("subscription_id", flat=True)) == sorted([slow.id, slow.id, other.id])
    assert claimed[3] is None


def test_while_many_are_under_way_each_subscription_has_one_of_them(home):
    busy, other = subscribe(home, "http://x/", max_parallel=10), subscribe(home, "http://y/", max_parallel=10)
    for _ in range(12):
        put(busy)

    assert [outbound_sending.claim() is not None for _ in range(9)] == [True] * 8 + [False]
    for _ in range(3):
        put(other)
    assert [outbound_sending.claim() is not None for _ in range(3)] == [True, False, False]


def test_who_has_the_fewest_under_way_is_next(home):
    busy, other = subscribe(home, "http://x/"), subscribe(home, "http://y/")
    for _ in range(5):
        put(busy)
    late = put(other, next_at=Now())

    outbound_sending.claim()

    assert outbound_sending.claim() == late.id


def test_what_is_being_sent_is_nobody_elses_until_its_lease_ends(home, receiver):
    put(subscribe(home, receiver.url))
    outbound_sending.claim()  # whoever claimed it died

    assert send_next() is False

    pass_time(seconds=LEASE_SECONDS)
    assert (send_all(), outcome()) == (1, ("sent", 2, ""))


def test_a_lost_key_fails_its_own_deliveries_only(home, receiver, settings):
    broken, well = subscribe(home, receiver.url), subscribe(home, receiver.url)
    put(broken)
    put(well)
    settings.BRAINOPS_ENCRYPTION_KEYS = {"other": b"o" * 32}
    well.secret = new_secret()
    well.save()

    assert send_all() == 2

    assert OutboundDelivery.objects.get(subscription=well).state == "sent"
    row = OutboundDelivery.objects.get(subscription=broken)
    assert (row.state, row.last_error) == ("pending", "Something went wrong on our side; the log says what.")


def test_a_subscription_that_was_switched_off_meanwhile_is_sent_nothing(home, receiver):
    subscription = subscribe(home, receiver.url)
    put(subscription)
    Subscription.objects.filter(id=subscription.id).update(is_active=False, off_reason="person")

    send_all()

    assert (receiver.got, outcome()) == ([], ("dropped", 1, "The subscription was switched off."))


def test_a_subscription_that_is_deleted_while_it_is_sent_something_leaves_nothing(home, receiver):
    subscription = subscribe(home, receiver.url)
    put(subscription)
    claimed = outbound_sending.claim()
    delivery = OutboundDelivery.objects.select_related("subscription").get(id=claimed)
    outcome_ = outbound_sending._attempt(delivery, lambda: None)
    subscription.delete()

    outbound_outcomes.note(delivery, outcome_)
    outbound_sending.send(claimed)

    assert (OutboundDelivery.objects.count(), OutboundAttempt.objects.count(), len(receiver.got)) == (0, 0, 1)


def test_it_is_due_by_the_clock_of_the_database(home):
    put(subscribe(home, "http://x/"), next_at=clock.now() + timedelta(hours=1))

    assert (outbound_sending.has_due(), send_next()) == (False, False)

    OutboundDelivery.objects.update(next_at=Now())
    assert outbound_sending.has_due()
