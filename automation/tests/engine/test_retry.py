"""Retries: how long, how often, and what is never repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.engine.kinds import Effect, ErrorClass, Idempotency, StepError
from automation.engine.retry import RetryPolicy, delay_seconds, next_delay
from automation.tests.engine.samples import kind

READ = kind(effect=Effect.READ)
KEYED = kind(effect=Effect.CREATE, idempotency=Idempotency.KEY)
ONCE = kind(effect=Effect.CREATE, idempotency=Idempotency.NONE)
NO_JITTER = RetryPolicy(jitter="none")


def error(error_class=ErrorClass.TRANSIENT, **fields):
    return StepError("probe_failed", "It failed.", error_class, **fields)


@pytest.mark.parametrize(
    ("attempt", "ceiling"),
    [
        (1, 2),  # 2 * 2**0
        (2, 4),  # 2 * 2**1
        (3, 8),  # 2 * 2**2
        (9, 60),  # 2 * 2**8 = 512, capped
        (5000, 60),  # no overflow
    ],
)
def test_exponential_delays_double_and_are_capped(attempt, ceiling):
    assert delay_seconds(attempt, RetryPolicy(initial_seconds=2, jitter="none"), seed=0) == ceiling


def test_fixed_delays_do_not_grow():
    policy = RetryPolicy(backoff="fixed", initial_seconds=2, jitter="none")

    assert [delay_seconds(attempt, policy, seed=0) for attempt in (1, 2, 9)] == [2, 2, 2]


@given(st.integers(1, 50), st.integers())
def test_full_jitter_stays_below_the_ceiling(attempt, seed):
    ceiling = delay_seconds(attempt, NO_JITTER, seed=seed)

    assert 0 <= delay_seconds(attempt, RetryPolicy(), seed=seed) <= ceiling


def test_the_same_seed_waits_equally_long_and_others_do_not():
    delays = [delay_seconds(3, RetryPolicy(), seed=seed) for seed in range(100)]

    assert delays == [delay_seconds(3, RetryPolicy(), seed=seed) for seed in range(100)]
    assert len(set(delays)) == 100
    assert min(delays) < 1 < 3 < max(delays)


def test_attempts_count_from_one():
    with pytest.raises(ValueError, match="attempt must be at least 1, got 0"):
        delay_seconds(0, RetryPolicy(), seed=0)


def test_three_attempts_are_made_by_default():
    delays = [next_delay(NO_JITTER, error(), attempt, READ, 0) for attempt in (1, 2, 3)]

    assert delays == [1, 2, None]


@pytest.mark.parametrize(
    ("error_class", "delay"),
    [
        (ErrorClass.TRANSIENT, 1),
        (ErrorClass.RATE_LIMIT, 1),
        (ErrorClass.TIMEOUT, 1),
        (ErrorClass.AUTH, None),
        (ErrorClass.USER, None),
        (ErrorClass.INTERNAL, None),
        (ErrorClass.CANCELLED, None),
    ],
)
def test_only_failures_that_pass_with_time_are_repeated_by_default(error_class, delay):
    assert next_delay(NO_JITTER, error(error_class), 1, READ, 0) == delay


def test_a_document_may_name_the_classes_itself():
    policy = RetryPolicy(classes=frozenset({ErrorClass.USER}), jitter="none")

    assert next_delay(policy, error(ErrorClass.USER), 1, READ, 0) == 1
    assert next_delay(policy, error(ErrorClass.TRANSIENT), 1, READ, 0) is None


@pytest.mark.parametrize("unknown", [{"is_outcome_unknown": True}, {"error_class": ErrorClass.TIMEOUT}])
def test_an_effect_that_may_have_happened_is_not_repeated_without_a_key(unknown):
    assert next_delay(NO_JITTER, error(**unknown), 1, ONCE, 0) is None
    assert next_delay(NO_JITTER, error(**unknown), 1, KEYED, 0) == 1
    assert next_delay(NO_JITTER, error(**unknown), 1, READ, 0) == 1


def test_an_effect_that_surely_did_not_happen_is_repeated():
    assert next_delay(NO_JITTER, error(ErrorClass.RATE_LIMIT), 1, ONCE, 0) == 1
    assert next_delay(NO_JITTER, error(ErrorClass.TIMEOUT, is_outcome_unknown=False), 1, ONCE, 0) == 1


def test_unsafe_repeats_whatever_happened():
    assert next_delay(RetryPolicy(jitter="none", is_unsafe=True), error(is_outcome_unknown=True), 1, ONCE, 0) == 1


def test_the_effect_of_one_call_decides():
    by_method = kind(
        effect=Effect.SEND,
        idempotency=Idempotency.NONE,
        effect_of=lambda config: Effect.READ if config["method"] == "GET" else Effect.CREATE,
    )
    lost = error(is_outcome_unknown=True)

    assert next_delay(NO_JITTER, lost, 1, by_method, 0, config={"method": "GET"}) == 1
    assert next_delay(NO_JITTER, lost, 1, by_method, 0, config={"method": "POST"}) is None


@pytest.mark.parametrize(
    ("asked", "delay"),
    [
        (0.5, 1),  # never sooner than our own delay
        (30, 30),
        (3600, 3600),  # beyond the policy's cap: the target knows best
        (86_401, None),  # more than a day is not waited for
    ],
)
def test_what_the_target_asked_for_is_never_undercut(asked, delay):
    assert next_delay(NO_JITTER, error(ErrorClass.RATE_LIMIT, retry_after_seconds=asked), 1, READ, 0) == delay


def test_a_policy_is_read_with_defaults():
    assert RetryPolicy.read(None) == RetryPolicy()
    assert RetryPolicy.read({"max_attempts": 1}) == RetryPolicy(max_attempts=1)
    assert RetryPolicy.read({"initial": "5m"}) == RetryPolicy(initial_seconds=300, max_seconds=300)
    assert RetryPolicy.read({"initial": "5m", "max": "10m"}) == RetryPolicy(initial_seconds=300, max_seconds=600)
