"""Redaction: by name, by value, in every form a value may take."""

import base64
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainops.core import redact

SECRET = 'hunter2/"ü+='  # holds what URL, JSON and base64 each write differently


@pytest.fixture(autouse=True, params=[0, 100], ids=["few secrets", "many secrets"])
def registered(request):
    redact.forget_all()
    for number in range(request.param):
        redact.register(f"another-secret-number-{number}")
    redact.register(SECRET)
    yield
    redact.forget_all()


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET, safe="").replace("%20", "+"),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        f"Basic {base64.b64encode(f'ada:{SECRET}'.encode()).decode()}",
        f"Basic {base64.b64encode(f'a:{SECRET}:z'.encode()).decode()}",
        f"Basic {base64.b64encode(f'ab:{SECRET}'.encode()).decode()}",
    ],
)
def test_a_registered_secret_is_masked_in_every_form(form):
    masked = redact.redact_text(f"before {form} after")

    assert redact.MASK in masked
    assert SECRET not in masked
    assert base64.b64encode(SECRET.encode()).decode()[4:-6] not in masked
    assert (masked[:7], masked[-6:]) == ("before ", " after")


def test_masking_goes_through_a_whole_value():
    value = {"log": [f"sent {SECRET}", 1, None], SECRET: {"deep": f"{SECRET}{SECRET}"}}

    assert redact.redact(value) == {"log": ["sent •••", 1, None], "•••": {"deep": "••••••"}}


@pytest.mark.parametrize(
    "key",
    [
        *("password", "Password", "db_passwd", "api_key", "apiKey", "X-Api-Key", "Authorization", "client_secret"),
        *("access_token", "refreshToken", "private-key", "Set-Cookie", "X-Hub-Signature-256", "DATABASE_URL"),
    ],
)
def test_a_value_under_a_secret_name_is_masked(key):
    assert redact.redact({key: "anything", "other": "text"}) == {key: "•••", "other": "text"}


@pytest.mark.parametrize("key", ["token_version", "secret_count", "tokens_used", "api_key_id", "password_changed_at"])
def test_a_name_that_only_speaks_of_secrets_is_left_alone(key):
    assert redact.redact({key: 7}) == {key: 7}


def test_empty_values_under_secret_names_are_shown_since_they_tell_that_nothing_is_set():
    assert redact.redact({"password": "", "token": None, "secret": False}) == {
        "password": "",
        "token": None,
        "secret": False,
    }


def test_a_whole_structure_under_a_secret_name_is_masked():
    assert redact.redact({"credentials": {"user": "ada", "pin": 1234}}) == {"credentials": "•••"}


def test_the_password_of_a_url_is_masked_and_the_rest_stays():
    text = "cannot reach postgres://ada:s3cret@db.example:5432/flows"

    assert redact.redact_text(text) == "cannot reach postgres://ada:•••@db.example:5432/flows"


@pytest.mark.parametrize("short", ["", "a", "12345"])
def test_short_values_are_not_kept_since_they_would_mask_ordinary_text(short):
    redact.register(short)

    assert redact.redact_text("a 12345 text") == "a 12345 text"


@given(
    before=st.binary(max_size=7),
    after=st.binary(max_size=7),
    secret=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=10, max_size=40),
)
def test_base64_of_a_text_that_holds_a_secret_is_masked_at_every_offset(before, after, secret):
    known = redact.SecretValues()
    known.register(secret)

    masked = known.mask(base64.b64encode(before + secret.encode() + after).decode())

    assert redact.MASK in masked


@pytest.mark.parametrize(
    "form",
    [
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        quote(SECRET, safe="").lower(),
        quote(quote(SECRET, safe=""), safe=""),
        html.escape(SECRET),
    ],
)
def test_the_spellings_of_logs_and_pages_are_masked_too(form):
    assert redact.redact_text(f"<{form}>") == "<•••>"


def test_white_space_around_a_pasted_secret_does_not_hide_what_is_sent_without_it():
    redact.register("  pasted-with-a-line-break\n")

    assert redact.redact_text("you sent: pasted-with-a-line-break.") == "you sent: •••."


def test_each_line_of_a_key_file_is_a_secret():
    lines = ["-----BEGIN KEY-----", "MIIEvQIBADANBgkqhkiG9w0", "short", "-----END KEY-----"]
    redact.register("\n".join(lines))

    assert redact.redact_text(f"line 2 is {lines[1]}!") == "line 2 is •••!"
    assert redact.redact_text(f"{lines[0]} short") == f"{lines[0]} short"


def test_a_long_text_is_masked_like_a_short_one():
    filling = "x" * 5_000

    assert redact.redact_text(f"{filling}{SECRET}{filling}") == f"{filling}•••{filling}"


def test_secrets_of_one_call_are_taken_out_of_keys_and_numbers_and_deep_places():
    known = redact.SecretValues()
    known.register("12345678")

    value = {"12345678": [12345678, 123456789, 1234, {"a": "<12345678>", "b": None, "c": True, "d": 12345678.5}]}
    deep: object = "12345678"
    for _ in range(60):
        deep = [deep]

    assert known.without(value) == {"•••": ["•••", "•••", 1234, {"a": "<•••>", "b": None, "c": True, "d": "•••"}]}
    assert "12345678" not in repr(known.without(deep))


def test_secrets_of_one_call_are_nobody_elses():
    mine, theirs = redact.SecretValues(), redact.SecretValues()
    mine.register("a word of mine")

    assert (mine.without("a word of mine"), theirs.without("a word of mine")) == ("•••", "a word of mine")


def test_a_secret_of_a_workspace_is_masked_in_the_lines_of_the_process_only():
    redact.register_for_logs("a-word-of-one-workspace")

    assert redact.redact_logged({"event": "sent a-word-of-one-workspace"}) == {"event": "sent •••"}
    assert redact.redact({"event": "sent a-word-of-one-workspace"}) == {"event": "sent a-word-of-one-workspace"}
