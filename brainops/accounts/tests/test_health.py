"""GET /health: one public word, details for staff."""

from brainops.accounts.models import User
from brainops.accounts.services import sessions
from brainops.accounts.tests.conftest import API


def test_health_tells_staff_about_every_part_and_others_one_word(db, client, settings):
    staff = User.objects.create_user("staff@example.com", is_staff=True)
    headers = {"Authorization": f"Bearer {sessions.open_session(staff).access}"}
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    told = client.get(f"{API}/health", headers=headers).json()

    parts = {part["name"]: part["is_up"] for part in told["components"]}
    assert (told["status"], parts["database"], parts["broker"]) == ("degraded", True, False)
    assert client.get(f"{API}/health").json() == {"status": "ok"}
