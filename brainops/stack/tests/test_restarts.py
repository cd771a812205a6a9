"""When a dead process may start again."""

from brainops.stack.restarts import Restarts


def test_the_wait_doubles_and_the_sixth_death_within_a_minute_gives_up():
    restarts = Restarts()

    assert [restarts.delay_seconds(now) for now in (0, 1, 2, 3, 4, 5)] == [0.5, 1, 2, 4, 8, None]


def test_deaths_older_than_a_minute_are_forgotten():
    restarts = Restarts()

    assert [restarts.delay_seconds(now) for now in (0, 10, 61, 200)] == [0.5, 1, 1, 0.5]
