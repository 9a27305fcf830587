"""Ordering drills, on the page as over the API: one at a time, and on record before it runs."""

from __future__ import annotations

from schemas import DrillOrdered

from .consequences import Foretold
from .desk import Desk
from .drills import LASTS, STARTED, STOPPED, Drill, stream_of
from .forms import Filled
from .giving import NotOrdered
from .handles import handle_of
from .orders import STOP_DRILL, Order

RUNNING = "A drill runs already: one at a time. Stop that one first, or wait until it is over."
_NONE_RUNS = "No drill runs."


def running(desk: Desk, now: int) -> Drill | None:
    """The drill that runs, as far as its orders and its stream came back from Kafka."""
    drill = desk.read_model.drills.newest()
    if drill is None or not drill.runs(now):
        return None
    row = desk.row(handle_of(drill.started.event.stream_id), now)
    return None if row is not None and row.ended else drill


def hindrance(desk: Desk, order: Order, order_id: str, now: int) -> str:
    """Why ``order`` can't be given, in words; empty where it can, or is given once more."""
    drill = running(desk, now)
    if order is STOP_DRILL:
        return _NONE_RUNS if drill is None else ""
    return RUNNING if drill is not None and not _started(drill, order_id) else ""


def foretell_drill(desk: Desk, order: Order, now: int) -> Foretold:
    """What ``order`` is likely to lead to as things stand."""
    runs = running(desk, now) is not None
    refusal = ""
    if order is not STOP_DRILL and runs:
        refusal = "a drill runs already, and there is one at a time"
    if order is STOP_DRILL and not runs:
        refusal = "no drill runs, as far as this worker knows"
    return Foretold((order.does,), refusal)


async def give_drill(desk: Desk, order: Order, filled: Filled, operator: str, now: int) -> None:
    """Start a drill, or stop the one that runs. What is given once more changes nothing.

    Raises ``AlreadyRunning`` and ``NotOrdered``.
    """
    drills, drill = desk.drills, running(desk, now)
    if drills is None:
        raise NotOrdered("this worker runs no drills")
    if order is STOP_DRILL and drill is not None:
        stream_id = drill.started.event.stream_id
        await drills.end(_told(STOPPED, stream_id, filled, operator, now))
    elif order is not STOP_DRILL and not (drill and _started(drill, filled.order_id)):
        stream_id = stream_of(filled.order_id)
        await drills.begin(_told(STARTED, stream_id, filled, operator, now))


def _told(change: str, stream_id: str, filled: Filled, operator: str, now: int) -> DrillOrdered:
    return DrillOrdered(
        order_id=filled.order_id,
        change=change,
        stream_id=stream_id,
        operator=operator,
        reason=filled.reason,
        ordered_at=now,
        until=now + LASTS if change == STARTED else now,
    )


def _started(drill: Drill, order_id: str) -> bool:
    """Whether the order of this id started ``drill``."""
    return drill.started.event.order_id == order_id
