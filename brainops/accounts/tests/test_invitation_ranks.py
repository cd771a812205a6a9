"""Nobody gives, takes back or replaces an invitation to a role above their own."""

import pytest

from brainops.accounts.models import Invitation, Role
from brainops.accounts.tests.people import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def offer(ada) -> Invitation:
    """An Owner's invitation to be an Owner."""
    answer = logged_in(ada).post("/invitations", {"email": "grace@example.com", "role": "owner"})
    return Invitation.objects.get(id=answer.json()["id"])


@pytest.mark.parametrize("deed", ["replace", "resend", "revoke"])
def test_an_admin_does_not_touch_the_invitation_of_an_owner(offer, member, deed):
    dora = logged_in(member("dora", Role.ADMIN))

    answer = {
        "replace": lambda: dora.post("/invitations", {"email": "grace@example.com", "role": "viewer"}),
        "resend": lambda: dora.post(f"/invitations/{offer.id}/resend"),
        "revoke": lambda: dora.delete(f"/invitations/{offer.id}"),
    }[deed]()

    assert (answer.status_code, answer.json()["code"]) == (403, "role_above_own")
    assert list(Invitation.objects.values_list("role", "revoked_at", "digest")) == [("owner", None, offer.digest)]


def test_an_owner_replaces_it(offer, ada):
    answer = logged_in(ada).post("/invitations", {"email": "grace@example.com", "role": "viewer"})

    assert answer.status_code == 201
    assert list(Invitation.objects.filter(revoked_at=None).values_list("role", flat=True)) == ["viewer"]
