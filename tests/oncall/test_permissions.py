"""Who may do what: every route and every operation, what it asks for, and what it does to those who
may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from faust.web.drivers.aiohttp import Web

from agents.oncall.access.roles import Permission, Role
from agents.oncall.api.table import operations
from agents.oncall.api.waiting import Waiting
from agents.oncall.desk import Desk
from agents.oncall.health import OPEN_PATHS
from agents.oncall.read_model import ReadModel
from agents.oncall.routing import registered
from tests import signed_in

from .access.visiting import HERE, browsing, proof
from .asking import HANDLE, ORDER_ID, fill
from .events import NOW, drill_ordered, takedown_requested
from .serving import FeedAsTold, Served, serve
from .test_earlier_sessions import ref

ASKED: dict[str, Permission] = {
    "GET /static/{name}": Permission.OPEN,
    "GET /vendor/{name}": Permission.OPEN,
    "GET /sign-in": Permission.OPEN,
    "POST /sign-in": Permission.OPEN,
    "POST /sign-out": Permission.VIEW,
    "GET /api/v1/worker": Permission.VIEW,
    "GET /events": Permission.VIEW,
    "GET /events/incidents": Permission.VIEW,
    "GET /": Permission.VIEW,
    "POST /": Permission.VIEW,
    "GET /streams/{handle}": Permission.VIEW,
    "GET /streams/{handle}/evidence/{name}": Permission.EVIDENCE,
    "GET /streams/{handle}/evidence/{name}/plain": Permission.EVIDENCE,
    "GET /streams/{handle}/frames/{name}": Permission.EVIDENCE,
    "POST /streams/{handle}/frames/{name}": Permission.EVIDENCE,
    "GET /incidents/{incident_id}/export": Permission.EVIDENCE,
    "POST /incidents/{incident_id}/export": Permission.EVIDENCE,
    "GET /incidents": Permission.VIEW,
    "GET /streams/{handle}/act/{command}": Permission.ACT,
    "POST /streams/{handle}/act/{command}": Permission.ACT,
    "GET /control/act/{command}": Permission.CONTROL,
    "POST /control/act/{command}": Permission.CONTROL,
    "GET /orders/{order}": Permission.VIEW,
    "GET /control": Permission.VIEW,
    "GET /topology": Permission.VIEW,
    "GET /topology/letters/{letter}": Permission.EVIDENCE,
    "GET /topology/redrive": Permission.CONTROL,
    "POST /topology/redrive": Permission.CONTROL,
    "GET /topology/redrives/{order}": Permission.VIEW,
    "GET /control/drill": Permission.CONTROL,
    "POST /control/drill": Permission.CONTROL,
    "GET /control/drill/stop": Permission.CONTROL,
    "POST /control/drill/stop": Permission.CONTROL,
    "GET /audit": Permission.VIEW,
    "POST /audit": Permission.VIEW,
    "POST /audit.jsonl": Permission.VIEW,
    "POST /audit.csv": Permission.VIEW,
    "GET /api/v1/streams": Permission.VIEW,
    "POST /api/v1/streams/search": Permission.VIEW,
    "GET /api/v1/streams/{handle}": Permission.VIEW,
    "GET /api/v1/streams/{handle}/history": Permission.VIEW,
    "GET /api/v1/incidents": Permission.VIEW,
    "GET /api/v1/incidents/{incident_id}": Permission.VIEW,
    "GET /api/v1/streams/{handle}/orders/{command}": Permission.ACT,
    "POST /api/v1/streams/{handle}/orders": Permission.ACT,
    "POST /api/v1/orders": Permission.CONTROL,
    "GET /api/v1/orders/{order_id}": Permission.VIEW,
    "GET /api/v1/control": Permission.VIEW,
    "POST /api/v1/drills": Permission.CONTROL,
    "POST /api/v1/drills/stop": Permission.CONTROL,
    "GET /api/v1/audit": Permission.VIEW,
    "POST /api/v1/audit/search": Permission.VIEW,
    "GET /api/v1/topology": Permission.VIEW,
    "GET /api/v1/dead-letters": Permission.VIEW,
    "GET /api/v1/dead-letters/{letter}": Permission.EVIDENCE,
    "POST /api/v1/dead-letters/redrive": Permission.CONTROL,
    "GET /api/v1/streams/{handle}/evidence": Permission.EVIDENCE,
    "GET /api/v1/streams/{handle}/takedowns": Permission.VIEW,
    "GET /api/v1/control/orders/{command}": Permission.CONTROL,
    "POST /api/v1/dead-letters/redrive/foretold": Permission.CONTROL,
    "POST /api/v1/incidents/{incident_id}/export": Permission.EVIDENCE,
    "POST /api/v1/audit/export": Permission.VIEW,
    "GET /api/v1/openapi.json": Permission.VIEW,
}
"""Whoever adds a route says here who may use it."""

INCIDENT = "00000000-0000-4000-8000-000000000001"
_PARTS = {
    "handle": HANDLE,
    "incident_id": INCIDENT,
    "order": ORDER_ID,
    "order_id": ORDER_ID,
    "letter": "d-1",
    "name": "0-7",
}
_SAID = {"reason": "a test", "order_id": ORDER_ID}
_BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/streams/{handle}/orders": {"command": "release"},
    "POST /api/v1/orders": {"command": "close-breaker"},
    "POST /api/v1/drills": {},
    "POST /api/v1/drills/stop": {},
    "POST /api/v1/dead-letters/redrive": {"letters": ["d-1"]},
    "POST /api/v1/dead-letters/redrive/foretold": {"letters": ["d-1"]},
}
"""Of what is ordered over the API, besides why and its id."""
_FORM = {"session": "session-1", "letters": "d-1", "lasts": "1 h", "scope": "all"}
"""Of what is ordered on pages: each form takes what it asks for."""


def granted(role: Role, asked: str) -> bool:
    return signed_in.person(role).may(ASKED[asked])


def ordering() -> Iterator[str]:
    """Where something is ordered, and not only foretold."""
    for asked, permission in ASKED.items():
        if (
            asked.startswith("POST")
            and not asked.endswith("/foretold")
            and permission in (Permission.ACT, Permission.CONTROL)
        ):
            yield asked


def refused() -> Iterator[tuple[Role, str]]:
    """Each role, with whatever it may not."""
    for role in (Role.VIEWER, Role.RESPONDER):
        for asked in ASKED:
            if not granted(role, asked):
                yield role, asked


def known(asked: str) -> Served:
    """A view in which whoever may do what is ``asked`` can do it."""
    served = serve()
    if asked.endswith(("/drill/stop", "/drills/stop")):
        served.read_model.apply(drill_ordered(ordered_at=NOW, until=NOW + 1_000_000), NOW)
        return served
    fill(served)
    served.now_us += 120 * 1_000_000  # the drill of those that is filled in with is over
    served.read_model.apply(takedown_requested(takedown_id="t-9", evidence=[ref(7)]), NOW)
    return served


def done(served: Served) -> list[object]:
    """What came of requests: orders, drills, records put back, and what was given out."""
    reason = served.room.viewing.reasons.holding("test-viewer", "incident-1", served.now_us)
    return [
        *served.given,
        *served.drills.ordered,
        *served.dead_letters.ordered,
        *served.room.viewed,
        *([reason] if reason else []),
    ]


async def send(served: Served, role: Role, asked: str) -> tuple[int, str]:
    """Ask for it in the browser of somebody of ``role``, as a page of theirs would."""
    method, path = asked.split()
    for name, value in _PARTS.items():
        path = path.replace(f"{{{name}}}", value)
    path = path.replace("{command}", "release" if "/streams/" in path else "close-breaker")
    headers = {**HERE, "X-CSRF-Token": proof(role)}
    how: dict[str, Any] = {}
    if method == "POST":
        body = {**_SAID, **_BODIES.get(asked, {})}
        how = {"json": body} if path.startswith("/api/") else {"data": {**_SAID, **_FORM}}
    async with browsing(served, firebreak=signed_in.session(role)) as client:
        answer = await client.request(method, path, headers=headers, allow_redirects=False, **how)
        return answer.status, await answer.text()


def test_each_route_asks_for_what_is_written_here() -> None:
    """All that a worker serves; one that is new is written down first."""
    served = cast(Web, serve().app.web).web_app
    assert {f"{it.method} {it.path}": it.permission for it in registered(served)} == ASKED


def test_nothing_else_is_served_but_what_is_open_to_all() -> None:
    """Faust's own views come as the server starts, and the front door refuses them."""
    served = cast(Web, serve().app.web).web_app
    known_paths = {it.path for it in registered(served)}
    others = {
        it.resource.canonical for it in served.router.routes() if it.resource is not None
    } - known_paths
    assert others == OPEN_PATHS


def test_each_operation_asks_for_what_its_route_does() -> None:
    """What the document says of who may is what holds."""
    told = operations(Desk(ReadModel(), FeedAsTold(), dict), Waiting())
    expected = ASKED | dict.fromkeys(("GET /live", "GET /ready"), Permission.OPEN)
    assert {f"{it.method} {it.path}": it.permission for it in told}.items() <= expected.items()
    under_api = {it for it in ASKED if " /api/" in it}
    assert under_api <= {f"{it.method} {it.path}" for it in told}


@pytest.mark.parametrize(("role", "asked"), [*refused()], ids=str)
async def test_who_may_not_is_refused_and_nothing_is_done(role: Role, asked: str) -> None:
    """Signed in, from a page of their own, with their own proof and a good order: for their role
    alone."""
    served = known(asked)
    status, said = await send(served, role, asked)
    assert (status, done(served)) == (403, [])
    assert "Your role does not allow this" in said
    assert served.counts["web refused role"] == 1


@pytest.mark.parametrize("asked", [*ordering()])
async def test_who_may_orders_by_the_same_request(asked: str) -> None:
    """What refuses others is nothing else about it."""
    served = known(asked)
    status, said = await send(served, Role.ADMIN, asked)
    assert (status in (200, 202, 303), len(done(served))) == (True, 1), said


@pytest.mark.parametrize(
    "asked", [it for it in ASKED if it.startswith("POST") and granted(Role.VIEWER, it)]
)
async def test_what_a_viewer_may_send_orders_nothing(asked: str) -> None:
    """Searches, exports of the audit, signing in and out."""
    served = known(asked)
    status, _ = await send(served, Role.VIEWER, asked)
    assert (status != 403, done(served)) == (True, [])
