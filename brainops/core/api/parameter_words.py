"""What the parameters of addresses and lists mean, said once for all operations that have them."""

from __future__ import annotations

import re
from typing import Any

WORDS = {
    "action": "Entries about this act, like `workflow.update`.",
    "arrival_id": "Id of the arrival, as the list of arrivals gives it.",
    "attempt": "Lines of this attempt of a step.",
    "created_by": "Id of the user who asked for it.",
    "created_since": "Made at this moment or later.",
    "created_until": "Made before this moment.",
    "delivery_id": "Id of the delivery, as the list of deliveries gives it.",
    "event_id": "Id of the event, as the list of events gives it.",
    "ip": "Entries of calls from this address.",
    "is_active": "Only what is switched on, or only what is off.",
    "is_archived": "Only what is archived, or only what is not.",
    "owner": "Id of the user it belongs to.",
    "provider": "Id of the provider, as `GET /auth/oidc` gives it.",
    "request_id": "Entries of this request: the `X-Request-Id` of its answer.",
    "run_id": "Only what belongs to this run.",
    "since": "At this moment or later.",
    "tag": "The tag.",
    "target_id": "Entries about the thing with this id.",
    "target_kind": "Entries about things of this kind: workflow, trigger, secret.",
    "trigger_id": "Runs that this trigger started.",
    "until": "Before this moment.",
    "updated_since": "Changed at this moment or later.",
    "updated_until": "Changed before this moment.",
    "version": "Runs of this version, like 1.2.0.",
    "webhook_id": "Id of the webhook, as `GET /webhooks` gives it.",
    "workflow_id": "Only what belongs to this workflow.",
}
IN_PATH = re.compile(r"([\w-]+)/\{(\w+)\}")


def describe_parameters(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of every parameter that has no words of its own what it is.

    A hook of drf-spectacular; `result` is the whole document and is changed in place.
    """
    for path, methods in result["paths"].items():
        listed = {name: words for words, name in IN_PATH.findall(path)}
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if not parameter.get("description") and (words := _words(parameter, listed)):
                    parameter["description"] = words
    return result


def _words(parameter: dict[str, Any], listed: dict[str, str]) -> str:
    name = parameter["name"]
    if name in ("id", "uid") and name in listed:
        return f"Id, as the list of {listed[name].replace('-', ' ')} gives it."
    return WORDS.get(name, "")
