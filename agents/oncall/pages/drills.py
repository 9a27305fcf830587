"""Starting a drill, and stopping it. What became of it shows on the control page."""

from __future__ import annotations

from aiohttp import web

from ..access.roles import Permission
from ..asking import Asked, ask, longest, name_of, typed_in
from ..desk import Desk
from ..drilling import RUNNING, foretell_drill, give_drill, hindrance
from ..drills import AlreadyRunning
from ..forms import ORDER_ID, read
from ..giving import NotOrdered
from ..orders import DRILL, STOP_DRILL, Order
from ..routing import Route, Visit

START, STOP, BACK = "/control/drill", "/control/drill/stop", "/control"


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


def _asked(desk: Desk, visit: Visit, order: Order, action: str) -> Asked:
    return Asked(order, action, BACK, foretell_drill(desk, order, visit.now))


async def _send(desk: Desk, visit: Visit, order: Order, action: str) -> web.Response:
    asked, typed = _asked(desk, visit, order, action), await typed_in(visit)
    filled, problems = read(order, typed, visit.now, longest(desk))
    if hindered := hindrance(desk, order, typed.get(ORDER_ID, ""), visit.now):
        problems = {**problems, "drill": hindered}
    if filled is None or problems:
        return ask(desk, visit, asked, typed, problems=problems, status=422)
    try:
        await give_drill(desk, order, filled, name_of(visit), visit.now)
    except NotOrdered as error:
        return ask(desk, visit, asked, typed, unsent=str(error), status=503)
    except AlreadyRunning:
        return ask(desk, visit, asked, typed, problems={"drill": RUNNING}, status=422)
    raise web.HTTPSeeOther(f"{BACK}?drill={filled.order_id}")
