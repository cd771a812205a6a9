"""Settings from the environment: all mistakes in one list, no secret in a message."""

import base64
import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from brainops.core.environment import Environment

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


def refused(environment: Environment) -> str:
    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.finish()
    return str(refusal.value)


def test_every_mistake_is_listed_at_once():
    env = Environment({"PORT": "99999", "DEBUG": "perhaps", "LEVEL": "loud"})

    env.integer("PORT", 8000, low=1, high=65535)
    env.flag("DEBUG", default=False)
    env.choice("LEVEL", "INFO", ("INFO", "WARNING"))
    env.text("SECRET")

    assert refused(env) == (
        "The environment is not usable (4 wrong):\n"
        "  - PORT must be a whole number from 1 to 65535, got '99999'.\n"
        "  - DEBUG must be one of 1, true, yes, on, 0, false, no, off, got 'perhaps'.\n"
        "  - LEVEL must be one of INFO, WARNING, got 'loud'.\n"
        "  - SECRET is not set. It must be a text.\n"
        "(An installation started by `bin/brainops up` has its own: use `bin/brainops manage <command>`.)"
    )


def test_a_good_environment_is_read_with_its_types():
    env = Environment({"PORT": "9000", "DEBUG": "YES", "LEVEL": "warning", "HOSTS": "a, b,", "WAIT": "0.5"})

    values = (
        env.integer("PORT", 8000, low=1, high=65535),
        env.flag("DEBUG", default=False),
        env.choice("LEVEL", "INFO", ("INFO", "WARNING")),
        env.names("HOSTS"),
        env.number("WAIT", 2, low=0.1, high=60),
    )
    env.finish()

    assert values == (9000, True, "WARNING", ["a", "b"], 0.5)


@pytest.mark.parametrize("given", ["", "  "])
def test_an_empty_variable_counts_as_not_set(given):
    env = Environment({"PORT": given})

    assert env.integer("PORT", 8000, low=1, high=65535) == 8000


@pytest.mark.parametrize("given", ["nan", "inf", "-1", "1e9", "two"])
def test_a_number_outside_its_bounds_is_refused(given):
    env = Environment({"WAIT": given})

    env.number("WAIT", 2, low=0, high=60)

    assert f"  - WAIT must be a number from 0 to 60, got {given!r}.\n" in refused(env)


def test_a_value_may_come_from_a_file(tmp_path):
    (tmp_path / "secret").write_text("from-a-file\n")
    env = Environment({"SECRET_FILE": str(tmp_path / "secret")})

    assert env.text("SECRET") == "from-a-file"


def test_a_file_that_is_not_there_is_named(tmp_path):
    env = Environment({"SECRET_FILE": str(tmp_path / "nothing")})

    env.text("SECRET", "")

    assert "SECRET_FILE names a file that cannot be read" in refused(env)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://user:hunter22@host/name", "must be a URL that starts with postgres:// or postgresql://"),
        ("postgres:///name", "names a host"),
        ("postgres://user:hunter22@host:port/name", "names a host and, if any, a port"),
        ("postgres://user:hunter22@[::1/name", "must be a URL"),
        ("postgres://user:hunter22@host:5432", "must name a database after the host"),
    ],
)
def test_a_wrong_database_url_is_refused_without_its_password(url, reason):
    env = Environment({"DATABASE_URL": url})

    env.database("DATABASE_URL", None)

    message = refused(env)
    assert reason in message
    assert "hunter22" not in message


def test_a_database_url_becomes_djangos_description():
    env = Environment({"DATABASE_URL": "postgresql://ada:p%40ss@db.example:5433/flows?sslmode=require"})

    config = env.database("DATABASE_URL", None)

    wanted = {"HOST": "db.example", "PORT": 5433, "NAME": "flows", "USER": "ada", "PASSWORD": "p@ss"}
    assert {name: config[name] for name in wanted} == wanted
    assert config["OPTIONS"] == {"sslmode": "require"}


def test_a_key_ring_keeps_its_order():
    other = base64.urlsafe_b64encode(b"\xff" * 32).decode().rstrip("=")
    env = Environment({"KEYS": f"new:{KEY}, old:{other}"})

    assert list(env.key_ring("KEYS", None).items()) == [("new", b"k" * 32), ("old", b"\xff" * 32)]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("just-a-key", "entry 1 must look like id:key"),
        ("a b:" + KEY, "entry 1 must look like id:key"),
        ("a:****", "entry 1 holds a key that is not URL-safe base64"),
        ("a:" + base64.urlsafe_b64encode(b"k" * 16).decode(), "entry 1 holds a key of 16 bytes; 32 are needed"),
        (f"a:{KEY},a:{KEY}", "entry 2 repeats the key id 'a'"),
    ],
)
def test_a_wrong_key_ring_is_refused_by_place(given, reason):
    env = Environment({"KEYS": given})

    env.key_ring("KEYS", None)

    assert reason in refused(env)
    assert KEY not in refused(env)


def settings_with(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own."""
    environment = {**os.environ, **{name: value for name, value in changes.items() if value is not None}}
    for name, value in changes.items():
        if value is None:
            environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", "import brainops.settings"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )


def test_the_settings_refuse_short_and_missing_secrets_together():
    result = settings_with(
        BRAINOPS_SECRET_KEY="short", BRAINOPS_ENCRYPTION_KEYS=None, DATABASE_URL=None, BRAINOPS_DEBUG=None
    )

    assert result.returncode == 1
    assert "(3 wrong)" in result.stderr
    assert "BRAINOPS_SECRET_KEY must have at least 50 characters, has 5." in result.stderr
    assert "BRAINOPS_ENCRYPTION_KEYS is not set." in result.stderr
    assert "DATABASE_URL is not set." in result.stderr


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password", "at_once", "starttls"),
    [
        ("smtp://mail", "mail", 587, "", "", False, True),
        ("smtp://ada%40b:p%2Fw@mail:25?tls=none", "mail", 25, "ada@b", "p/w", False, False),
        ("smtps://u:p@mail", "mail", 465, "u", "p", True, False),
    ],
)
def test_a_mail_server_is_read_from_one_url(url, host, port, user, password, at_once, starttls):
    env = Environment({"MAIL": url})

    assert list(env.mail_server("MAIL").values()) == [host, port, user, password, at_once, starttls]
    assert env.problems == []


def test_a_mail_server_that_makes_no_sense_is_refused_without_its_password():
    env = Environment({"A": "http://u:secret@mail", "B": "smtp://u:secret@mail?tls=maybe"})

    assert (env.mail_server("A"), env.mail_server("MISSING")) == ({}, {})
    env.mail_server("B")
    assert [problem.partition(" ")[0] for problem in env.problems] == ["A", "B"]
    assert "secret" not in str(env.problems)


def test_mails_need_an_address_they_are_from():
    assert "BRAINOPS_EMAIL_FROM must hold an address" in settings_with(BRAINOPS_EMAIL_URL="smtp://mail").stderr


def test_the_debugging_key_is_refused_when_debug_is_off():
    result = settings_with(BRAINOPS_ENCRYPTION_KEYS="debug:" + "A" * 43, BRAINOPS_DEBUG=None)

    assert "holds a key that is not random" in result.stderr


def test_a_death_sooner_than_three_heartbeats_is_refused():
    result = settings_with(BRAINOPS_HEARTBEAT_SECONDS="2", BRAINOPS_DEAD_SECONDS="5")

    assert "BRAINOPS_DEAD_SECONDS must be at least three heartbeats" in result.stderr


def test_debugging_needs_no_variable_at_all():
    names = ("DATABASE_URL", "REDIS_URL", "BRAINOPS_SECRET_KEY", "BRAINOPS_ENCRYPTION_KEYS", "BRAINOPS_PUBLIC_URL")

    result = settings_with(**dict.fromkeys(names), BRAINOPS_DEBUG="1")

    assert (result.returncode, result.stderr) == (0, "")


def test_production_settings_pass_djangos_deployment_check():
    environment = {
        **os.environ,
        "BRAINOPS_PUBLIC_URL": "https://flows.example.com",
        "BRAINOPS_STAFF_MFA": "required",
    }
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # the browser tests of this process may have set it

    result = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )

    assert result.returncode == 0, result.stderr
