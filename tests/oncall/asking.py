"""Asking the API, and holding what it answers to its document."""

from __future__ import annotations

import re
from typing import Any

from jsonschema import Draft202012Validator

from agents.oncall.handles import handle_of

from .events import (
    NOW,
    alert_raised,
    dead_lettered,
    drill_ordered,
    escalation_raised,
    heard,
    incident_closed,
    stream_updated,
    takedown_requested,
    worker_reported,
)
from .serving import Client, Served

HANDLE = handle_of("stream-1")
STREAM = f"/api/v1/streams/{HANDLE}"
ORDER_ID = "8d7f9bd4-0a41-4c9e-9f4e-3f2b6a1c0d11"


def fill(served: Served) -> Served:
    """A stream that is escalated, and some of all the rest."""
    for event in (
        heard(appended_at=NOW),
        stream_updated(),
        escalation_raised(incident_id="incident-1"),
        takedown_requested(stream_id="stream-2", incident_id="incident-2"),
        incident_closed(stream_id="stream-2", incident_id="incident-2", outcome="rejected"),
        alert_raised(),
        dead_lettered(stream_id="stream-2"),
        worker_reported(),
        drill_ordered(),
    ):
        served.read_model.apply(event, NOW)
    return served


async def told(client: Client, path: str, status: int = 200, **asked: Any) -> Any:
    """What is answered, once it was found to be as the document says."""
    answer = await (client.post(path, json=asked["body"]) if asked else client.get(path))
    body = await answer.json()
    assert answer.status == status, body
    api = await (await client.get("/api/v1/openapi.json")).json()
    template = next(it for it in api["paths"] if _matches(it, answer.url.path))
    operation = api["paths"][template]["post" if asked else "get"]
    response = operation["responses"][str(status)]["content"][answer.content_type]
    Draft202012Validator({**response["schema"], "components": api["components"]}).validate(body)
    return body


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None
