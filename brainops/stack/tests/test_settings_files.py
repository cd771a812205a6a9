"""Secrets, settings and ports of an installation: made once, kept closed."""

import base64
import socket

import pytest

from brainops.stack import secret_files
from brainops.stack.place import CHECKOUT, Place, find_place
from brainops.stack.ports import LOOPBACK, free_port
from brainops.stack.product_environment import Addresses, load_settings, product_settings, save_settings
from brainops.stack.settled_ports import PortTaken, settle_ports

WHERE = Addresses("postgresql://a", "redis://b", "http://127.0.0.1:8000", 8000)


def mode(path):
    return oct(path.stat().st_mode & 0o777)


def test_data_lies_beside_the_checkout_unless_named(tmp_path):
    assert find_place({}) == Place(CHECKOUT / ".brainops")
    assert find_place({"BRAINOPS_DATA": str(tmp_path / "x" / ".." / "y")}) == Place(tmp_path / "y")


def test_secrets_are_made_once_and_closed_to_others(place):
    first = secret_files.password(place, "postgres_password")

    assert secret_files.password(place, "postgres_password") == first
    assert len(first) == 43  # 32 bytes in base64
    assert mode(place.secrets / "postgres_password") == "0o600"
    assert mode(place.secrets) == mode(place.data) == "0o700"


def test_the_encryption_key_has_32_bytes_and_a_name(place):
    name, _, key = secret_files.encryption_keys(place).partition(":")

    assert name == "first"
    assert len(base64.urlsafe_b64decode(key)) == 32


def test_settings_written_are_settings_read(place):
    settings = product_settings(place, WHERE, given={})

    save_settings(place.environment, settings)

    assert load_settings(place.environment) == settings
    assert mode(place.environment) == "0o600"


def test_what_the_caller_has_set_wins_except_the_port(place):
    given = {"DATABASE_URL": "postgresql://elsewhere", "PORT": "1", "HOME": "/root"}

    settings = product_settings(place, WHERE, given=given)

    assert settings["DATABASE_URL"] == "postgresql://elsewhere"
    assert settings["REDIS_URL"] == "redis://b"
    assert settings["PORT"] == "8000"
    assert "HOME" not in settings


def test_settings_that_were_never_written_are_none(place):
    assert load_settings(place.environment) == {}


def test_ports_are_chosen_once(place):
    first = settle_ports(place.ports, wanted_web_port=None)

    assert settle_ports(place.ports, wanted_web_port=None) == first
    assert len(set(first.values())) == 3


def test_a_port_that_somebody_took_is_chosen_anew(place):
    first = settle_ports(place.ports, wanted_web_port=None)

    with socket.create_server((LOOPBACK, first["postgres"])):
        second = settle_ports(place.ports, wanted_web_port=None)

    assert second["postgres"] != first["postgres"]
    assert second["valkey"] == first["valkey"]


def test_a_wanted_port_is_kept_for_the_next_start(place):
    port = free_port()

    settle_ports(place.ports, wanted_web_port=port)

    assert settle_ports(place.ports, wanted_web_port=None)["web"] == port


def test_a_wanted_port_in_use_is_refused(place):
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(PortTaken, match=f"^Port {port} is in use. Give another one with --port"):
            settle_ports(place.ports, wanted_web_port=port)


def test_a_damaged_port_file_is_written_anew(place):
    place.ports.write_text("{", encoding="utf-8")

    assert set(settle_ports(place.ports, wanted_web_port=None)) == {"postgres", "valkey", "web"}
