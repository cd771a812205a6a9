"""/limits, and what a run says that waits for its limit, for quiet or for a worker."""

from __future__ import annotations

from automation.models import Run
from automation.tests.api.conftest import HELLO, Api

NAMED = {"key": "{{ inputs.name }}"}


def make(owner: Api, **settings: object) -> str:
    return str(owner.make(definition={**HELLO, "settings": settings})["id"])


def start(owner: Api, id_: str, name: str = "Ada") -> str:
    return str(owner.post(f"/workflows/{id_}/execute", {"inputs": {"name": name}}).json()["id"])


def waits(owner: Api, run: str) -> list:
    return owner.get(f"/runs/{run}").json()["waits"]


def test_the_limits_of_the_workspace_say_how_full_they_are(owner: Api, stranger: Api):
    id_ = make(owner, concurrency={"limit": 2, **NAMED})
    for name in ("Ada", "Ada", "Ada", "Bob"):
        start(owner, id_, name)

    page = owner.get("/limits", workflow_id=id_).json()

    about = {"workflow_id": id_, "workflow_name": owner.get(f"/workflows/{id_}").json()["name"], "capacity": 2}
    assert page["results"] == [
        {"key": f"{id_}:Ada", "value": "Ada", **about, "under_way": 2, "waiting": 1},
        {"key": f"{id_}:Bob", "value": "Bob", **about, "under_way": 1, "waiting": 0},
    ]
    assert stranger.get("/limits").json()["results"] == []


def test_a_blocked_run_says_which_limit_holds_it_and_its_place_among_those_that_wait(owner: Api):
    id_ = make(owner, concurrency={"limit": 1, **NAMED})
    _, _, last = [start(owner, id_) for _ in range(3)]

    (wait,) = waits(owner, last)

    assert (wait["type"], wait["path"], wait["until"]) == ("limit", "", None)
    assert wait["details"] == {
        "limit": f"{id_}:Ada",
        "key": "Ada",
        "capacity": 1,
        "under_way": 1,
        "position": 2,
        "waiting": 2,
        "message": "1 of 1 runs with the key 'Ada' are under way; of 2 that wait it is number 2.",
    }


def test_a_queued_run_says_how_many_are_before_it(owner: Api):
    id_ = make(owner, queue="bulk")
    _, second = start(owner, id_), start(owner, id_)

    (wait,) = waits(owner, second)

    said = "Queue bulk: 1 runs of this workspace before it."
    assert (wait["type"], wait["details"]) == ("queue", {"queue": "bulk", "position": 2, "message": said})


def test_a_gathering_run_says_until_when(owner: Api):
    run = start(owner, make(owner, debounce={"wait": "1h"}))

    (wait,) = waits(owner, run)

    until = Run.objects.get().wake_at
    assert until is not None
    assert (wait["type"], wait["until"]) == ("quiet", until.isoformat().replace("+00:00", "Z"))
