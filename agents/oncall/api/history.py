"""A stream's past, and what its plot is drawn from."""

from __future__ import annotations

from http import HTTPStatus

from ..access.roles import Permission
from ..desk import Desk
from ..pages.streams import policy_now
from ..past import read_past
from ..plotting import plot_of
from .operations import AnyOperation, Call, Operation
from .problems import unavailable
from .sessions import asked_of
from .views import HistoryTold
from .words import OfSession


def operations(desk: Desk) -> list[AnyOperation]:
    """One operation."""

    async def history(call: Call[OfSession, None]) -> HistoryTold:
        stream, session = asked_of(desk, call.asked)
        past = await read_past(desk, stream, call.visit.now, session)
        if past.missing:
            raise unavailable(past.missing)
        policy = policy_now(desk, past)
        return HistoryTold(
            since=past.span.since,
            until=past.span.until,
            plot=plot_of(past.history, policy),
            moments=list(past.history.moments),
            policy=policy,
        )

    return [
        Operation(
            "getStreamHistory",
            "GET",
            "/api/v1/streams/{handle}/history",
            Permission.VIEW,
            "Its signals, risk, windows, thresholds and decisions over time.",
            "streams",
            HistoryTold,
            OfSession,
            history,
            refuses=(HTTPStatus.SERVICE_UNAVAILABLE,),
        )
    ]
