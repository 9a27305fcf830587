"""Starting a drill, and stopping it. What became of it shows on the control page."""

from __future__ import annotations

from aiohttp import web

from schemas import DrillOrdered

from ..access.roles import Permission
from ..asking import Asked, ask, longest, name_of, typed_in
from ..consequences import Foretold
from ..desk import Desk
from ..drills import LASTS, AlreadyRunning, Drill, stream_of
from ..forms import Filled, read
from ..giving import NotOrdered
from ..handles import handle_of
from ..orders import DRILL, STOP_DRILL, Order
from ..routing import Route, Visit

START, STOP, BACK = "/control/drill", "/control/drill/stop", "/control"
_RUNNING = "A drill runs already: one at a time. Stop that one first, or wait until it is over."


def routes(desk: Desk) -> list[Route]:
    """Both forms."""

    async def ask_start(visit: Visit) -> web.Response:
        return ask(desk, visit, _asked(desk, visit, DRILL, START), {})

    async def ask_stop(visit: Visit) -> web.Response:
        return ask(desk, visit, _asked(desk, visit, STOP_DRILL, STOP), {})

    async def start(visit: Visit) -> web.Response:
        return await _send(desk, visit, DRILL, START)

    async def stop(visit: Visit) -> web.Response:
        return await _send(desk, visit, STOP_DRILL, STOP)

    return [
        Route("GET", START, Permission.CONTROL, ask_start),
        Route("POST", START, Permission.CONTROL, start),
        Route("GET", STOP, Permission.CONTROL, ask_stop),
        Route("POST", STOP, Permission.CONTROL, stop),
    ]


def running(desk: Desk, now: int) -> Drill | None:
    """The drill that runs, as far as its orders and its stream came back from Kafka."""
    drill = desk.read_model.drills.newest()
    if drill is None or not drill.runs(now):
        return None
    row = desk.row(handle_of(drill.started.event.stream_id), now)
    return None if row is not None and row.ended else drill


def _asked(desk: Desk, visit: Visit, order: Order, action: str) -> Asked:
    runs = running(desk, visit.now) is not None
    refusal = ""
    if order is DRILL and runs:
        refusal = "a drill runs already, and there is one at a time"
    if order is STOP_DRILL and not runs:
        refusal = "no drill runs, as far as this worker knows"
    return Asked(order, action, BACK, Foretold((order.does,), refusal))


async def _send(desk: Desk, visit: Visit, order: Order, action: str) -> web.Response:
    asked, typed = _asked(desk, visit, order, action), await typed_in(visit)
    filled, problems = read(order, typed, visit.now, longest(desk))
    drill, drills = running(desk, visit.now), desk.drills
    again = filled is not None and drill is not None and _started_by(drill) == filled.order_id
    if order is DRILL and drill is not None and not again:
        problems = {**problems, "drill": _RUNNING}
    if order is STOP_DRILL and drill is None:
        problems = {**problems, "drill": "No drill runs."}
    if filled is None or problems:
        return ask(desk, visit, asked, typed, problems=problems, status=422)
    try:
        if drills is None:
            raise NotOrdered("this worker runs no drills")
        if order is STOP_DRILL and drill is not None:
            stream_id = drill.started.event.stream_id
            await drills.end(_told("stopped", stream_id, filled, visit, visit.now))
        elif not again:
            stream_id, until = stream_of(filled.order_id), visit.now + LASTS
            await drills.begin(_told("started", stream_id, filled, visit, until))
    except NotOrdered as error:
        return ask(desk, visit, asked, typed, unsent=str(error), status=503)
    except AlreadyRunning:
        return ask(desk, visit, asked, typed, problems={"drill": _RUNNING}, status=422)
    raise web.HTTPSeeOther(f"{BACK}?drill={filled.order_id}")


def _told(change: str, stream_id: str, filled: Filled, visit: Visit, until: int) -> DrillOrdered:
    return DrillOrdered(
        order_id=filled.order_id,
        change=change,
        stream_id=stream_id,
        operator=name_of(visit),
        reason=filled.reason,
        ordered_at=visit.now,
        until=until,
    )


def _started_by(drill: Drill) -> str:
    return drill.started.event.order_id
