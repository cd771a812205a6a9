"""Approvals tell those they ask: when they ask, when they escalate, before and when their time is over."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from automation.engine.status import RunStatus
from automation.models import Approval, NoticeDelivery, NoticeMute, Run
from automation.services import notice_links
from automation.services.approval_decisions import approve, reassign
from automation.services.approvals_due import approvals_due
from automation.services.notice_decisions import decide_due, remind_due
from automation.services.notice_outbox import MOST_ASKED_PER_HOUR
from automation.services.notice_sending import send_next
from automation.tests.approvals.rows import ask, make_run, member, move
from automation.tests.notices.rows import TEST_RUN, make_rule, make_workspace, told
from brainops.accounts.models import Membership, Role

HOUR = 3600


@pytest.fixture
def ada(home):
    return member(home, "ada")


@pytest.fixture
def _mail(inbox):
    """The installation sends mail."""


def asked() -> list[tuple[str, str]]:
    rows = NoticeDelivery.objects.order_by("created_at", "address")
    return list(rows.values_list("event", "address"))


def pass_time(approval, **fields) -> None:
    """Move instants of an approval: seconds from now, ahead or back."""
    moved = {name: Now() + timedelta(seconds=seconds) for name, seconds in fields.items()}
    Approval.objects.filter(id=approval.id).update(**moved)


def test_who_is_asked_gets_a_mail_with_a_link_that_decides_nothing(home, ada, inbox):
    member(home, "bob")
    approval = ask(home, assignees=("user:ada",), title="Refund 40 €?", message="Order 7.", expires_seconds=HOUR)
    decide_due()

    while send_next():
        pass

    (letter,) = inbox.letters
    text = next(part for part in letter.iter_parts()).get_content().replace("\r\n", "\n")
    assert (letter["To"], letter["Subject"].strip()) == (
        "ada@example.com",
        f"[{home.name}] Your answer is needed: Refund 40 €?",
    )
    assert f"> Order 7.\n\nOpen the approval:\nhttp://testserver/admin/automation/approval/{approval.id}/\n" in text
    approval.refresh_from_db()
    assert approval.state == "pending"


@pytest.mark.usefixtures("_mail")
def test_a_role_means_its_members_and_those_above(home, ada):
    member(home, "viv", Role.VIEWER)
    member(home, "root", Role.ADMIN)
    ask(home, assignees=("role:operator",))

    decide_due()

    assert asked() == [("approval_requested", "ada@example.com"), ("approval_requested", "root@example.com")]


@pytest.mark.usefixtures("_mail", "ada")
def test_what_everybody_may_decide_is_told_to_rules_only(home):
    ask(home)
    assert (decide_due(), asked()) == (0, [])

    make_rule(home, events=["approval_requested"], recipients=["user:ada"])
    ask(home)
    assert (decide_due(), asked()) == (1, [("approval_requested", "ada@example.com")])


@pytest.mark.usefixtures("_mail", "ada")
def test_an_escalation_tells_those_who_are_new(home):
    member(home, "root", Role.ADMIN)
    approval = ask(home, assignees=("user:ada",), escalate_seconds=HOUR, escalate_to=("user:root",))
    decide_due()
    pass_time(approval, escalates_at=-1)
    approvals_due()

    decide_due()

    assert asked() == [("approval_requested", "ada@example.com"), ("approval_escalated", "root@example.com")]


@pytest.mark.usefixtures("_mail")
def test_whom_somebody_hands_it_to_is_asked(home, ada):
    member(home, "bob")
    approval = ask(home, assignees=("user:ada",))
    decide_due()
    reassign(ada, approval.id, ["user:bob"])

    decide_due()

    assert asked()[1:] == [("approval_requested", "bob@example.com")]


@pytest.mark.usefixtures("_mail", "ada")
def test_they_are_reminded_once_before_its_time_is_over(home):
    approval = ask(home, assignees=("user:ada",), expires_seconds=4 * HOUR)
    decide_due()
    assert remind_due() == 0

    pass_time(approval, created_at=-3 * HOUR - 60, expires_at=HOUR - 60)
    assert [remind_due(), remind_due(), decide_due()] == [1, 0, 1]

    assert asked()[1:] == [("approval_reminder", "ada@example.com")]


@pytest.mark.usefixtures("_mail", "ada")
def test_a_short_question_reminds_nobody(home):
    approval = ask(home, assignees=("user:ada",), expires_seconds=300)
    pass_time(approval, expires_at=10)

    assert remind_due() == 0


@pytest.mark.usefixtures("_mail", "ada")
def test_they_are_told_when_nobody_decided_in_time(home):
    approval = ask(home, assignees=("user:ada",), expires_seconds=HOUR)
    decide_due()
    pass_time(approval, expires_at=-1)
    approvals_due()

    decide_due()

    assert asked()[1:] == [("approval_expired", "ada@example.com")]


@pytest.mark.usefixtures("_mail")
def test_what_was_decided_or_ended_meanwhile_asks_nobody(home, ada):
    decided, ended = (ask(home, assignees=("user:ada",)) for _ in range(2))
    approve(ada, decided.id)
    move(ended.run, RunStatus.CANCELLED)

    assert (decide_due(), asked()) == (2, [])


@pytest.mark.usefixtures("_mail", "ada")
def test_a_test_run_asks_nobody_by_mail(home):
    run = make_run(home)
    Run.objects.filter(id=run.id).update(mode=TEST_RUN)
    ask(home, run=run, assignees=("user:ada",))

    assert (decide_due(), asked()) == (0, [])


@pytest.mark.usefixtures("ada")
def test_without_a_mail_server_nobody_is_asked_by_mail(home, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    ask(home, assignees=("user:ada",))

    decide_due()

    assert asked() == []


@pytest.mark.usefixtures("_mail", "ada")
def test_a_loop_that_asks_one_person_a_hundred_times_sends_few_mails(home):
    for _ in range(MOST_ASKED_PER_HOUR + 10):
        ask(home, assignees=("user:ada",))

    decide_due()

    assert told().count("approval_requested") == MOST_ASKED_PER_HOUR
    assert NoticeDelivery.objects.get(event="digest").content["count"] == 10


@pytest.mark.usefixtures("_mail", "ada")
def test_a_strangers_name_reaches_nobody_outside_of_the_workspace(home):
    member(make_workspace(), "mallory")
    ask(home, assignees=("user:mallory", "user:mallory@example.com"))

    decide_due()

    assert asked() == []


@pytest.mark.usefixtures("_mail")
def test_the_link_of_a_mail_ends_it_for_one_person_and_can_be_taken_back(home, ada, client):
    bob = member(home, "bob")
    rule = make_rule(home, recipients=["user:ada", "user:bob"], events=["approval_requested"])
    silence = notice_links.Silence(home.id, rule.id, ada.user_id)
    url = notice_links.url_of(silence)

    page = client.get(url)
    assert (page.status_code, NoticeMute.objects.count()) == (200, 0)
    assert "sandbox" not in page["Content-Security-Policy"]
    done = client.post(url, {"List-Unsubscribe": "One-Click"})
    assert (done.status_code, client.post(url).status_code) == (200, 200)
    ask(home)
    decide_due()
    assert asked() == [("approval_requested", "bob@example.com")]

    client.post(url, {"again": "yes"})
    ask(home)
    decide_due()
    assert len(asked()) == 3
    assert bob.user_id != ada.user_id


@pytest.mark.usefixtures("_mail")
def test_a_link_ends_the_mails_of_approvals_too(home, ada, client):
    client.post(notice_links.url_of(notice_links.Silence(home.id, None, ada.user_id)))
    ask(home, assignees=("user:ada",))

    decide_due()

    assert asked() == []


def test_a_link_that_we_never_made_is_not_there(home, ada, client):
    token = notice_links.token_of(notice_links.Silence(home.id, None, ada.user_id))
    wrong = [token[:-2] + ("AA" if not token.endswith("AA") else "BB"), "x", "%00", token + token]

    answers = [client.post(f"/api/v1/automation/notices/mute/{one}").status_code for one in wrong]
    answers += [client.get(f"/api/v1/automation/notices/mute/{one}").status_code for one in wrong]

    assert set(answers) == {404}
    assert client.put(f"/api/v1/automation/notices/mute/{token}").status_code == 405
    assert NoticeMute.objects.count() == 0


def test_a_link_outlives_neither_the_membership_nor_the_rule(home, ada, client):
    rule = make_rule(home)
    urls = [notice_links.url_of(notice_links.Silence(home.id, one, ada.user_id)) for one in (rule.id, None)]
    rule.delete()
    assert client.post(urls[0]).status_code == 404
    Membership.objects.filter(user_id=ada.user_id).delete()
    assert client.post(urls[1]).status_code == 404
