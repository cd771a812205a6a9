"""Messages of the outbox: mails through a real server, webhooks to a real receiver, runs in the same database."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from standardwebhooks import Webhook, WebhookVerificationError

from automation.models import NoticeDelivery, NoticeRule, Run
from automation.services import notice_acts, notice_sending
from automation.services.notice_decisions import decide_due
from automation.services.notice_people import follow_rename
from automation.services.notice_sending import send_next
from automation.store.notices import LEASE_SECONDS
from automation.tests.approvals.rows import member
from automation.tests.notices.rows import (
    OK,
    TEST_RUN,
    make_rule,
    make_workflow,
    run_once,
)
from brainops.accounts.models import Membership, Role, User
from brainops.core import clock
from brainops.core.standard_webhooks import new_secret


def tell(workflow, **values):
    run = run_once(workflow, **values)
    decide_due()
    return run


def send_all() -> int:
    count = 0
    while send_next():
        count += 1
    return count


def outcome() -> tuple[str, int, str]:
    row = NoticeDelivery.objects.get()
    return row.state, row.attempts, row.last_error


def come_back() -> None:
    """Let the pause before the next attempt have passed."""
    NoticeDelivery.objects.update(next_at=Now())


def texts(letter) -> tuple[str, str]:
    parts = {part.get_content_type(): part.get_content() for part in letter.iter_parts()}
    return parts["text/plain"].replace("\r\n", "\n"), parts["text/html"]


def test_a_failure_reaches_a_mail_server_as_text_and_html_with_a_link_to_the_run(home, rule, orders, inbox):
    run = tell(orders)

    assert send_all() == 1

    (letter,), (sender,), (receivers,) = inbox.letters, inbox.senders, inbox.receivers
    delivery = NoticeDelivery.objects.get()
    assert (sender, receivers, letter["To"]) == ("brainops@example.com", ["ops@example.com"], "ops@example.com")
    assert letter["Subject"] == f"[{home.name}] “Orders” failed"
    assert letter["Message-ID"] == f"<{delivery.id}@testserver>"
    assert (letter["Auto-Submitted"], letter["List-Unsubscribe"]) == ("auto-generated", None)
    text, html = texts(letter)
    link = f"http://testserver/admin/automation/run/{run.uid}/"
    assert text == (
        f"“Orders” failed.\n\nWorkflow: Orders\nWorkspace: {home.name}\n"
        f"Run: number {run.id}, version 1.0.0, failed\nEnded: {run.finished_at:%Y-%m-%d %H:%M:%S} UTC\nStep: look\n"
        f"Failing since: {run.finished_at:%Y-%m-%d %H:%M:%S} UTC\n\n> No such order.\n\nOpen the run:\n{link}\n\n"
        f"-- \nThe notice rule “Tell us” of the workspace {home.name} sends you this.\n"
    )
    assert link in html
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("sent", 1, "")


def test_names_and_errors_are_text_in_a_mail_and_never_headers_or_markup(home, inbox):
    evil = "<script>x</script>\r\nBcc: eve@example.com"
    make_rule(home, name=evil)
    tell(make_workflow(home, evil))

    send_all()

    (letter,) = inbox.letters
    _, html = texts(letter)
    assert letter["Subject"].strip() == f"[{home.name}] “<script>x</script> Bcc: eve@example.com” failed"
    assert (letter["Bcc"], inbox.receivers) == (None, [["ops@example.com"]])
    assert "<script>" not in html


def test_each_receiver_gets_a_mail_of_their_own_and_members_a_link_to_end_it(home, orders, inbox):
    member(home, "ada")
    member(home, "viv", Role.VIEWER)
    make_rule(home, recipients=["role:operator", "user:ADA", "ops@example.com", "ada@example.com"])
    tell(orders)

    assert send_all() == 2

    assert sorted(inbox.receivers) == [["ada@example.com"], ["ops@example.com"]]
    to_ada = next(one for one in inbox.letters if one["To"] == "ada@example.com")
    url = to_ada["List-Unsubscribe"].strip().strip("<>")
    assert url.startswith("http://testserver/api/v1/automation/notices/mute/")
    assert to_ada["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"No more of these for you: {url}" in texts(to_ada)[0]


@pytest.mark.parametrize("gone", ["left", "deactivated"])
def test_who_is_gone_by_then_gets_nothing(home, orders, inbox, gone):
    ada = member(home, "ada")
    make_rule(home, recipients=["user:ada"])
    tell(orders)
    if gone == "left":
        Membership.objects.filter(user_id=ada.user_id).delete()
    else:
        User.objects.filter(id=ada.user_id).update(is_active=False)

    send_all()

    said = "The receiver is no active member any more, or wants no more mails."
    assert (inbox.letters, outcome()) == ([], ("dropped", 1, said))


def test_a_rule_follows_a_person_to_a_new_user_name(home, orders, inbox):
    ada = member(home, "ada")
    rule = make_rule(home, recipients=["user:Ada", "ops@example.com"])
    person = User.objects.get(id=ada.user_id)
    person.username = "lovelace"
    person.save()

    follow_rename(person, "ada")

    rule.refresh_from_db()
    assert rule.recipients == ["user:lovelace", "ops@example.com"]


def test_a_rule_that_means_nobody_says_so(home, orders, inbox):
    make_rule(home, recipients=["role:admin"])
    tell(orders)

    assert (send_all(), outcome()[0]) == (0, "dropped")


def test_a_mail_server_that_is_away_is_tried_again_until_it_is_back(rule, orders, inbox):
    inbox.shut()
    tell(orders)
    before = clock.now()

    assert send_all() == 1
    state, attempts, error = outcome()
    assert (state, attempts, error.partition(":")[0]) == ("pending", 1, "ConnectionRefusedError")
    pause = NoticeDelivery.objects.get().next_at - before
    assert timedelta(0) <= pause < timedelta(seconds=60)

    inbox.open()
    come_back()
    assert (send_all(), outcome(), len(inbox.letters)) == (1, ("sent", 2, ""), 1)


def test_an_address_that_the_server_does_not_know_is_given_up_at_once(rule, orders, inbox):
    inbox.unknown = {"ops@example.com"}
    tell(orders)

    send_all()

    state, attempts, error = outcome()
    assert (state, attempts) == ("failed", 1)
    assert "no such person" in error


def test_what_nobody_took_for_a_day_is_given_up_visibly(rule, orders, inbox):
    inbox.refusal = "451 try again later"
    tell(orders)
    NoticeDelivery.objects.update(ends_at=Now())

    send_all()

    state, _, error = outcome()
    assert state == "failed"
    assert "try again later" in error


def test_a_workspace_sends_a_bounded_number_of_mails_an_hour_and_the_rest_waits(home, inbox, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "mails_per_hour": 2}
    make_rule(home)
    for number in range(4):
        run_once(make_workflow(home, f"W{number}"))
    decide_due()

    send_all()

    assert len(inbox.letters) == 2
    rows = NoticeDelivery.objects.filter(state="pending")
    assert set(rows.values_list("attempts", "last_error")) == {
        (0, "The workspace has sent 2 mails within the hour (BRAINOPS_LIMIT_MAILS_PER_HOUR); this one waits.")
    }


@pytest.fixture
def hooked(home, hook) -> NoticeRule:
    return make_rule(home, channel="webhook", url=hook.url, secret=new_secret())


def test_a_webhook_carries_a_signature_that_the_official_library_verifies(home, hooked, orders, hook):
    run = tell(orders)

    send_all()

    ((headers, body),) = hook.got
    delivery = NoticeDelivery.objects.get()
    said = Webhook(hooked.secret).verify(body, {name.lower(): value for name, value in headers.items()})
    assert (said["type"], said["timestamp"], said["data"]["run"]["id"]) == (
        "run.first_failure",
        delivery.created_at.isoformat(),
        str(run.uid),
    )
    assert said["data"]["workspace"] == {"id": str(home.id), "slug": home.slug, "name": home.name}
    assert (headers["webhook-id"], headers["Content-Type"]) == (str(delivery.id), "application/json")
    with pytest.raises(WebhookVerificationError):
        Webhook(hooked.secret).verify(body + b" ", {name.lower(): value for name, value in headers.items()})


def test_a_receiver_that_fails_gets_it_again_under_the_same_id_when_it_asked_for(hooked, orders, hook):
    hook.answers = [(503, {"Retry-After": "300"})]
    tell(orders)
    before = clock.now()

    send_all()
    assert outcome() == ("pending", 1, "The receiver answered 503: an empty body")
    assert NoticeDelivery.objects.get().next_at - before >= timedelta(seconds=300)

    come_back()
    send_all()
    assert outcome() == ("sent", 2, "")
    assert len({headers["webhook-id"] for headers, _ in hook.got}) == 1


@pytest.mark.parametrize(("status", "state"), [(410, "failed"), (400, "pending"), (302, "pending"), (500, "pending")])
def test_only_a_receiver_that_is_gone_is_given_up_at_once(hooked, orders, hook, status, state):
    hook.answers = [(status, {"Location": "http://169.254.169.254/"})]
    tell(orders)

    send_all()

    assert (outcome()[0], len(hook.got)) == (state, 1)


def test_a_webhook_never_reaches_what_the_door_refuses(hooked, orders, settings):
    NoticeRule.objects.update(url="http://169.254.169.254/latest/meta-data")
    tell(orders)

    send_all()

    assert outcome()[2].startswith("blocked_target: ")


def test_a_workflow_is_started_once_with_the_notice_below_the_run_it_is_about(home, orders):
    alarm = make_workflow(home, "Alarm")
    make_rule(home, channel="workflow", workflow=alarm)
    about = tell(orders)

    send_all()
    NoticeDelivery.objects.update(state="pending", next_at=Now())  # as if nobody had noted the outcome
    send_all()

    run = Run.objects.select_related("data").get(workflow=alarm)
    delivery = NoticeDelivery.objects.get()
    assert run.data.input == {
        "inputs": {"notice": delivery.content},
        "trigger": {"kind": "notice", "event": "first_failure", "delivery": str(delivery.id)},
    }
    assert (run.called_by_run, run.is_detached, run.depth) == (about, True, 1)
    assert delivery.state == "sent"


@pytest.mark.parametrize(
    ("values", "reason"), [({"is_active": False}, "switched off"), ({"archived_at": clock.now()}, "archived")]
)
def test_a_workflow_that_may_not_run_is_said_and_not_tried_again(home, orders, values, reason):
    alarm = make_workflow(home, "Alarm", **values)
    make_rule(home, channel="workflow", workflow=alarm)
    tell(orders)

    send_all()

    assert outcome()[0] == "failed"
    assert reason in outcome()[2]


def test_a_rule_that_was_switched_off_sends_nothing_more(rule, orders, inbox):
    tell(orders)
    NoticeRule.objects.update(is_active=False)

    send_all()

    assert (inbox.letters, outcome()) == ([], ("dropped", 1, "The rule was switched off."))


def test_a_digest_names_what_it_stands_for(home, inbox):
    make_rule(home, max_per_hour=0)
    for name in ("A", "B"):
        run_once(make_workflow(home, name))
    decide_due()
    come_back()

    send_all()

    (letter,) = inbox.letters
    assert letter["Subject"] == f"[{home.name}] 2 more notices within the hour"
    assert "First failure: 2 notices\nWorkflows: A, B\n" in texts(letter)[0]


def test_every_event_can_be_written(home, orders, inbox):
    make_rule(home, repeat_minutes=1, slow_seconds=10)
    for status, seconds in ((0, 1), (OK, 1), (OK, 61)):
        tell(orders, **({"status": status} if status else {}), seconds=seconds)

    send_all()

    subjects = [letter["Subject"].partition("] ")[2] for letter in inbox.letters]
    assert subjects == ["“Orders” failed", "“Orders” works again after 1 failed run", "“Orders” took 1m1s"]


def test_a_message_that_is_being_sent_is_nobody_elses_until_its_lease_ends(rule, orders, inbox, monkeypatch):
    tell(orders)
    monkeypatch.setattr(notice_sending, "send", lambda _id: None)  # whoever claimed it died

    assert (send_next(), send_next()) == (True, False)

    monkeypatch.undo()
    row = NoticeDelivery.objects.get()
    assert timedelta(seconds=LEASE_SECONDS - 10) < row.next_at - clock.now() <= timedelta(seconds=LEASE_SECONDS)
    come_back()
    assert (send_all(), outcome(), len(inbox.letters)) == (1, ("sent", 2, ""), 1)


def test_a_test_is_marked_sent_at_once_and_answered(home, rule, inbox):
    ada = member(home, "ada", Role.BUILDER)

    (row,) = notice_acts.test(ada, rule.id)

    assert (row.state, row.is_test, row.event) == ("sent", True, "test")
    assert [letter["Subject"] for letter in inbox.letters] == [f"[{home.name}] A test of “Tell us”"]


def test_a_test_that_fails_says_why_and_is_not_tried_again(home, rule, inbox):
    inbox.shut()
    ada = member(home, "ada", Role.BUILDER)

    (row,) = notice_acts.test(ada, rule.id)

    assert (row.state, row.last_error.partition(":")[0]) == ("failed", "ConnectionRefusedError")
    assert send_all() == 0


def test_a_test_of_a_workflow_is_a_test_run(home, orders):
    rule = make_rule(home, channel="workflow", workflow=orders)

    notice_acts.test(member(home, "ada", Role.BUILDER), rule.id)

    assert Run.objects.get().mode == TEST_RUN


def test_old_deliveries_and_ended_mutes_go(home, rule, orders, inbox):
    tell(orders)
    send_all()
    assert notice_acts.forget_old() == 0
    NoticeDelivery.objects.update(created_at=clock.now() - timedelta(days=31))

    assert (notice_acts.forget_old(), NoticeDelivery.objects.count()) == (1, 0)


def test_a_rule_follows_a_person_whom_staff_rename_in_the_admin(home, orders, inbox, client):
    ada = member(home, "ada")
    rule = make_rule(home, recipients=["user:ada"])
    client.force_login(User.objects.create_superuser("root@example.com"))
    person = User.objects.get(id=ada.user_id)
    none = {f"memberships-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")}

    answer = client.post(
        f"/admin/accounts/user/{person.id}/change/",
        {"email": person.email, "username": "lovelace", "name": "", "is_active": "on", **none},
    )

    assert answer.status_code == 302, answer.content
    rule.refresh_from_db()
    assert rule.recipients == ["user:lovelace"]
