"""A kind of step for random runs: it computes, fails, sleeps, or really calls somebody, as its `with` says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.request import Request, urlopen

from automation.engine.kinds import (
    Call,
    Done,
    Effect,
    ErrorClass,
    Fail,
    Idempotency,
    Kind,
    LogLine,
    Outcome,
    Sleep,
    StepError,
)
from automation.steps import all_kinds
from automation.tests.engine.samples import kind

Json = Any
EFFECTS = {"send": Effect.CREATE, "once": Effect.CREATE, "flaky": Effect.READ}
SLEEP_SECONDS = 0.05


def act(call: Call) -> Outcome:
    """`does` is succeed, fail, flaky (the first attempt fails), sleep, send (honours a key) or once (knows none)."""
    does = call.config["does"]
    line = LogLine("info", f"did {does}")
    if does == "fail" or (does == "flaky" and call.attempt == 1):
        error_class = ErrorClass.TRANSIENT if does == "flaky" else ErrorClass.USER
        return Fail(StepError("act_failed", "It failed.", error_class), (line,))
    if does == "sleep":
        return Sleep(SLEEP_SECONDS, 1)
    if does in ("send", "once") and call.config["url"]:
        _post(call.config["url"], f"{call.config['run']}:{call.path}", call.idempotency_key)
    return Done(1, logs=(line,))


def _post(url: str, id_: str, key: str) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    with urlopen(Request(url, json.dumps({"id": id_}).encode(), headers, method="POST"), timeout=10) as answer:
        answer.read()


def _effect_of(config: Json) -> Effect:
    return EFFECTS.get(config["does"], Effect.PURE)


def _idempotency_of(config: Json) -> Idempotency:
    return Idempotency.NONE if config["does"] == "once" else Idempotency.KEY


ACT: Kind = kind("act", act, effect_of=_effect_of, idempotency_of=_idempotency_of)


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds, and `act`."""
    return {**all_kinds(), ACT.key: ACT}
