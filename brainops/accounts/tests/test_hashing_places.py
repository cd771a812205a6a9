"""Logins never take all cores or web threads: few hash at once, few wait, the others are sent away."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections
from django.test import Client

from brainops.accounts.services.hashing import HashingPlaces
from brainops.accounts.tests.conftest import API, PASSWORD
from brainops.core.errors import Unavailable


class Counting(MD5PasswordHasher):
    """Counts what is hashed, in all threads."""

    algorithm = "counting"
    lock = threading.Lock()
    hashed = 0

    def encode(self, password, salt):
        with Counting.lock:
            Counting.hashed += 1
        return super().encode(password, salt)


def test_a_place_beyond_the_waiting_ones_is_refused_at_once():
    places = HashingPlaces(at_once=1, waiting=2)
    inside, leave = threading.Event(), threading.Event()
    order = []

    def hash_slowly(name):
        with places.take():
            order.append(name)
            inside.set()
            leave.wait(30)

    first = threading.Thread(target=hash_slowly, args=("first",))
    second = threading.Thread(target=hash_slowly, args=("second",))
    first.start()
    inside.wait(30)
    second.start()
    while places._room._value:  # until the second one waits
        threading.Event().wait(0.005)

    with pytest.raises(Unavailable) as refused, places.take():
        pass
    waiting = list(order)
    leave.set()
    first.join()
    second.join()

    assert (refused.value.code, refused.value.headers) == ("logins_busy", {"Retry-After": "2"})
    assert (waiting, order) == (["first"], ["first", "second"])


def test_a_place_is_free_again_after_an_error():
    places = HashingPlaces(at_once=1, waiting=1)

    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), places.take():
            raise ValueError("broken")

    with places.take():
        pass


@pytest.mark.django_db(transaction=True)
def test_of_fifteen_logins_at_once_five_are_hashed_and_the_others_refused_before(member, settings):
    from brainops.accounts.models import Role

    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    member("ada", Role.OWNER)
    Counting.hashed = 0
    together = threading.Barrier(15)

    def attempt(_number):
        together.wait(30)
        try:
            body = {"username": "ada", "password": "wrong"}
            return Client().post(f"{API}/auth/token", body, content_type="application/json").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(15) as threads:
        statuses = list(threads.map(attempt, range(15)))

    assert statuses.count(429) == 10
    assert set(statuses) <= {401, 429, 503}  # 503: more than a quarter of the web threads wanted to hash
    assert Counting.hashed == statuses.count(401) <= 5


@pytest.mark.django_db
def test_a_full_process_says_when_to_come_back_and_does_not_hash(ada, settings, monkeypatch):
    from brainops.accounts.services import login

    full = HashingPlaces(at_once=1, waiting=1)
    monkeypatch.setattr(login, "places", full)
    settings.PASSWORD_HASHERS = ["no.such.Hasher"]

    with full.take():
        body = {"username": "ada", "password": PASSWORD}
        answer = Client().post(f"{API}/auth/token", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "logins_busy", "2")
