"""Two people change the same workspace in the same moment, each on their own connection."""

import pytest
from django.core import mail

from brainops.accounts.models import Invitation, Membership, Role, User, Workspace
from brainops.accounts.services import api_key_changes, departures, invitations, joining, members, ownership, workspaces
from brainops.accounts.tests.people import at_once, member_id
from brainops.audit.models import AuditEntry
from brainops.core.errors import AppError

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def refusals(answers) -> list[str]:
    """The codes of those who were refused; anything but a refusal of ours fails the test."""
    for answer in answers:
        assert not isinstance(answer, Exception) or isinstance(answer, AppError), repr(answer)
    return sorted(answer.code for answer in answers if isinstance(answer, AppError))


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_owners_who_demote_each_other_leave_one(ada, member, caller, _round):
    dora = member("dora", Role.OWNER)
    both = [(caller(ada), member_id(dora)), (caller(dora), member_id(ada))]  # both are recognised as owners

    answers = at_once(*(lambda pair=pair: members.change_role(*pair, Role.VIEWER) for pair in both))

    assert refusals(answers) == ["permission_denied"]
    assert sorted(Membership.objects.values_list("role", flat=True)) == ["owner", "viewer"]
    assert AuditEntry.objects.filter(action="member.update").count() == 1


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_owners_who_leave_leave_one(ada, member, caller, _round):
    dora = member("dora", Role.OWNER)
    who = {name: (caller(user), member_id(user)) for name, user in (("ada", ada), ("dora", dora))}

    answers = at_once(*(lambda pair=pair: departures.remove(*pair) for pair in who.values()))

    assert refusals(answers) == ["last_owner"]
    assert [row.role for row in Membership.objects.all()] == ["owner"]


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_transfer_to_somebody_who_leaves_is_whole_or_nothing(ada, member, caller, acme, _round):
    dora = member("dora", Role.ADMIN)
    to, leaver, owner = member_id(dora), caller(dora), caller(ada)

    answers = at_once(lambda: ownership.transfer(owner, to=to), lambda: departures.remove(leaver, to))

    roles = {row.user.username: row.role for row in Membership.objects.select_related("user")}
    if refusals(answers) == ["invalid_input"]:  # she was gone first
        assert roles == {"ada": "owner"}
    else:  # she became Owner first, and as the only one she stays
        assert refusals(answers) == ["last_owner"]
        assert roles == {"ada": "admin", "dora": "owner"}


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_an_invitation_accepted_twice_at_once_makes_one_person(ada, caller, _round):
    invitations.invite(caller(ada), email="grace@example.com", role=Role.BUILDER)
    token = mail.outbox[-1].body.split("/invitations/")[1].split()[0]
    newcomer = joining.Newcomer("a passphrase nobody else has")

    answers = at_once(*[lambda: joining.accept(token, newcomer=newcomer)] * 3)

    assert refusals(answers) == ["invitation_unknown"] * 2
    assert Membership.objects.filter(user__email="grace@example.com").count() == 1
    assert User.objects.filter(email="grace@example.com").count() == 1


def test_accepting_and_revoking_at_once_is_one_of_the_two(ada, caller):
    sent = invitations.invite(caller(ada), email="grace@example.com", role=Role.BUILDER)
    token = mail.outbox[-1].body.split("/invitations/")[1].split()[0]
    newcomer = joining.Newcomer("a passphrase nobody else has")

    answers = at_once(
        lambda: joining.accept(token, newcomer=newcomer), lambda: invitations.revoke(caller(ada), sent.row.id)
    )

    row = Invitation.objects.get()
    is_member = Membership.objects.filter(user__email="grace@example.com").exists()
    assert refusals(answers) in ([], ["invitation_unknown"])
    assert (row.accepted_at is not None, row.revoked_at is None) == (is_member, is_member)


def test_two_invitations_of_one_address_at_once_leave_one_open(ada, caller):
    answers = at_once(*[lambda: invitations.invite(caller(ada), email="grace@example.com", role=Role.VIEWER)] * 3)

    assert refusals(answers) == []
    assert Invitation.objects.filter(invitations.OPEN).count() == 1


def test_one_address_invited_to_two_workspaces_accepts_both_at_once(ada, eve, caller):
    tokens = []
    for who in (ada, eve):
        invitations.invite(caller(who), email="grace@example.com", role=Role.VIEWER)
        tokens.append(mail.outbox[-1].body.split("/invitations/")[1].split()[0])
    newcomer = joining.Newcomer("a passphrase nobody else has")

    answers = at_once(*(lambda token=token: joining.accept(token, newcomer=newcomer) for token in tokens))

    # the second one finds the account, or the address taken when it looks, or taken when it writes
    assert refusals(answers) in (["login_required"], ["invalid_input"], ["conflict"])
    assert User.objects.filter(email="grace@example.com").count() == 1


def test_a_slug_is_taken_once(ada, caller, settings):
    by = caller(ada)
    answers = at_once(*[lambda: workspaces.create(by, name="Shop", slug="shop")] * 3)

    assert refusals(answers) == ["invalid_input"] * 2
    assert Workspace.objects.filter(slug="shop").count() == 1


def test_the_count_of_owned_workspaces_holds_at_once(ada, caller, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "owned_workspaces": 2}
    who = caller(ada)

    answers = at_once(*[lambda: workspaces.create(who, name="Shop")] * 3)

    assert refusals(answers) == ["too_many_workspaces"] * 2
    assert Membership.objects.filter(user=ada, role="owner").count() == 2


def test_a_key_is_rotated_once(ada, caller, key_of):
    key = key_of(ada).row
    who = caller(ada)

    answers = at_once(*[lambda: api_key_changes.rotate(who, key.id, overlap_seconds=60)] * 3)

    assert refusals(answers) == ["already_rotated"] * 2
