"""The topology and the dead letters as JSON, and redriving for programs."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from ..access.roles import Permission
from ..asking import name_of
from ..desk import Desk
from ..forms import is_order_id, read_reason
from ..letters import Letter
from ..pages.topology import letter_at, wanted_by
from ..ports import Unavailable
from ..redriving import MOST_AT_ONCE, NotPutBack, RedriveOrder
from ..routing import Route, Visit
from ..topology import topology_of
from ..workers import WorkerNow

LETTERS_TOLD = 200


class RedriveAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a redrive is asked for by: the dead letters' ids, why, and an id of the order itself,
    a random UUID, so that asking twice is asking once."""

    letters: list[str]
    reason: str
    order_id: str


def routes(desk: Desk) -> list[Route]:
    """Two to read, one letter's record, and redriving."""

    async def topology(visit: Visit) -> web.Response:
        return web.json_response(topology_told(desk, visit.now))

    async def letters(visit: Visit) -> web.Response:
        known = desk.read_model.letters
        found = known.wanted(wanted_by(visit))
        told: dict[str, Any] = {
            "by_cause": dict(known.by_cause),
            "redriven": known.redriven,
            "found": len(found),
            "letters": [_letter(it) for it in found[:LETTERS_TOLD]],
        }
        return web.json_response(told)

    async def record(visit: Visit) -> web.Response:
        letter = letter_at(desk, visit)
        try:
            preview = await desk.dead_letters.preview(letter)
        except Unavailable as error:
            return _wrong(str(error), 503)
        return web.json_response(
            {"letter": _letter(letter), "record": msgspec.to_builtins(preview)}
        )

    async def redrive(visit: Visit) -> web.Response:
        try:
            asked = msgspec.json.decode(await visit.request.read(), type=RedriveAsked)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _wrong(str(error), 400)
        reason, wrong = read_reason({"reason": asked.reason})
        if wrong or not is_order_id(asked.order_id):
            return _wrong(wrong or "order_id: not a random UUID (version 4)", 422)
        if len(asked.letters) > MOST_AT_ONCE:
            return _wrong(f"letters: at most {MOST_AT_ONCE} at once", 422)
        known = [desk.read_model.letters.get(it) for it in dict.fromkeys(asked.letters)]
        letters = [it for it in known if it is not None]
        if len(letters) < len(known):
            return _wrong("letters: not all of them are among the newest", 404)
        order = RedriveOrder(asked.order_id, name_of(visit), reason, letters)
        try:
            done = await desk.dead_letters.put_back(order)
        except NotPutBack as error:
            return _wrong(str(error), 503)
        return web.json_response({"order_id": asked.order_id, **msgspec.to_builtins(done)})

    where = "/api/v1/dead-letters"
    return [
        Route("GET", "/api/v1/topology", Permission.VIEW, topology),
        Route("GET", where, Permission.VIEW, letters),
        Route("GET", f"{where}/{{letter}}", Permission.EVIDENCE, record),
        Route("POST", f"{where}/redrive", Permission.CONTROL, redrive),
    ]


def topology_told(desk: Desk, now: int) -> dict[str, Any]:
    """What the page says, as JSON. Times are microseconds since the epoch, rates a second."""
    topology = topology_of(desk.read_model.workers.now(now))
    return {
        "as_of": now,
        "unstaffed": topology.unstaffed,
        "agents": [
            {
                **msgspec.to_builtins(it.agent),
                "workers": it.workers,
                "now": msgspec.to_builtins(it.now),
                "lag_seconds": it.lag_seconds,
                "waiting": it.waiting,
                "batches": msgspec.to_builtins(it.batches),
                "providers": it.providers,
                "errors": it.errors,
            }
            for it in topology.agents
        ],
        "topics": [msgspec.to_builtins(it) for it in topology.topics],
        "workers": [_worker(it) for it in topology.workers],
    }


def _worker(worker: WorkerNow) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(worker.report),
        "heard_at": worker.heard_at,
        "silent": worker.silent,
        "agents": msgspec.to_builtins(worker.agents),
        "topics": msgspec.to_builtins(worker.topics),
    }


def _letter(letter: Letter) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(letter.event)
    del told["key"]
    return {
        **told,
        "stream_handle": letter.handle,
        "buried_at": letter.buried_at,
        "redrivable": letter.redrivable,
        "redriven": msgspec.to_builtins(letter.redriven),
    }


def _wrong(why: str, status: int) -> web.Response:
    return web.json_response({"error": why}, status=status)
