"""File: starts runs for files that come into a folder, onto an SFTP server or into a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.conf import settings

from automation.engine.durations import duration_text, parse_duration
from automation.engine.problem import Problem
from automation.engine.wording import one_of, quoted
from automation.triggers.contract import Config, Json, Polling, TriggerKind, TriggerRow
from automation.triggers.file_listing import ITEMS
from automation.triggers.file_look import poll
from automation.triggers.file_opening import LOCAL, S3, SFTP, address_of, endpoint_of
from automation.triggers.file_patterns import DEEP, MOST_DEEP
from automation.triggers.file_schema import DEFAULTS, NEEDED, OF_PLACE, ONLY, SCHEMA
from automation.triggers.file_settling import MOVE, settle
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.file_roots import parse_roots

LENGTHS = {"every": (1.0, 86_400.0), "stable_for": (0.0, 3_600.0)}  # least and most seconds
_PLACE = ("where", "folder", *(name for names in ONLY.values() for name in names))


def check(config: Config) -> Iterator[Problem]:
    """Refuse what does not belong together, roots that are not open, and folders that lead elsewhere."""
    where = config["where"]
    for name in NEEDED[where]:
        if name not in config:
            yield Problem("required", f'Files by {where} need "{name}".', f"/{name}")
    for other, names in ONLY.items():
        for name in (name for name in names if name in config and other != where):
            yield Problem("not_of_this_place", f'"{name}" belongs to {other}, and "where" is {where}.', f"/{name}")
    yield from _login_problems(config)
    yield from _place_problems(config)
    yield from _length_problems(config)
    if (config.get("after") == MOVE) != ("move_to" in config):
        yield Problem("required", 'What is moved needs "move_to", and nothing else does.', "/move_to")
    if "read" in config and config.get("deliver") != ITEMS:
        yield Problem("not_of_this_delivery", '"read" is of files that are delivered by items.', "/read")
    for name in ("include", "exclude"):
        for index, pattern in enumerate(config.get(name, ())):
            if pattern.split("/").count(DEEP) > MOST_DEEP:
                yield Problem("too_deep", f"{quoted(pattern)} has more than {MOST_DEEP} times **.", f"/{name}/{index}")


def _login_problems(config: Config) -> Iterator[Problem]:
    if config["where"] == SFTP and ("password_secret" in config) == ("private_key_secret" in config):
        said = 'A login by SFTP needs one of "password_secret" and "private_key_secret".'
        yield Problem("required", said, "/password_secret")


def _place_problems(config: Config) -> Iterator[Problem]:
    for name in ("folder", "move_to"):
        if _leads_elsewhere(config.get(name, "")) and config["where"] != S3:
            yield Problem("bad_folder", f'"{name}" must not hold "." or "..", control characters or \\.', f"/{name}")
    if config["where"] == LOCAL and "root" in config:
        known = parse_roots(settings.BRAINOPS_FILE_ROOTS)
        if config["root"] not in known:
            open_ones = f"Open are {one_of(known)}." if known else "None is open."
            said = (
                f"There is no root {quoted(config['root'])}. {open_ones} An operator opens them: BRAINOPS_FILE_ROOTS."
            )
            yield Problem("unknown_root", said, "/root")
    if config["where"] == S3 and "bucket" in config:
        try:
            http.check(endpoint_of({"region": OF_PLACE[S3]["region"], **config}))
        except EgressError as error:
            yield Problem(error.code, error.message, "/endpoint")


def _leads_elsewhere(folder: str) -> bool:
    parts = folder.split("/")
    return "." in parts or ".." in parts or "\\" in folder or not folder.isprintable()


def _length_problems(config: Config) -> Iterator[Problem]:
    for name, (least, most) in LENGTHS.items():
        if name in config and not least <= parse_duration(config[name]) <= most:
            span = f"{duration_text(least)} to {duration_text(most)}"
            yield Problem("out_of_range", f'"{name}" must be {span}, got {config[name]}.', f"/{name}")


def complete(config: Config) -> Config:
    """Fill in the defaults, so that the stored config says everything."""
    read: Config = {"read": {}} if config.get("deliver") == ITEMS else {}
    return {**DEFAULTS, **OF_PLACE.get(config["where"], {}), **read, **config}


def describe(triggers: Sequence[TriggerRow]) -> Mapping[UUID, Mapping[str, Json]]:
    """Where the files are, in one line."""
    return {trigger.id: {"file": {"watches": address_of(trigger.config)}} for trigger in triggers}


def origin(config: Config) -> Json:
    """What makes it another place: with another pattern or rhythm it goes on where it stands."""
    return {name: config[name] for name in _PLACE if name in config}


KIND = TriggerKind(
    key="file",
    title="File",
    description="Starts runs for files that come into a folder, onto an SFTP server or into a bucket.",
    icon="folder_open",
    config_schema=SCHEMA,
    check=check,
    complete=complete,
    describe=describe,
    polling=Polling(
        poll=poll,
        every=lambda config: parse_duration(config["every"]),
        first=lambda config: str(config["first"]),
        settle=settle,
        origin=origin,
    ),
    examples=(
        {
            "where": "sftp",
            "host": "sftp.example.com",
            "username": "orders",
            "password_secret": "SFTP_PASSWORD",
            "host_keys": ["SHA256:uNiVztksCsDhcc0u9e8BrrJXVqDneTDI2k5hRZ5pU5Y"],
            "folder": "/out/orders",
            "include": ["*.csv"],
            "after": "move",
            "move_to": "/out/done",
        },
        {
            "where": "s3",
            "bucket": "acme-orders",
            "region": "eu-central-1",
            "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_key_secret": "S3_SECRET_KEY",
            "folder": "incoming",
            "deliver": "items",
            "read": {"delimiter": ";", "nulls": ["NA"]},
            "after": "delete",
        },
    ),
)
