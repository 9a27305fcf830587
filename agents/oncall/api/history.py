"""A stream's past, and what its plot is drawn from."""

from __future__ import annotations

from http import HTTPStatus

from ..access.roles import Permission
from ..desk import Desk
from ..pages.streams import policy_now
from ..past import read_past, stream_at
from ..plotting import plot_of
from .operations import AnyOperation, Call, Operation
from .problems import unavailable
from .views import HistoryTold
from .words import OfStream


def operations(desk: Desk) -> list[AnyOperation]:
    """One operation."""

    async def history(call: Call[OfStream, None]) -> HistoryTold:
        visit = call.visit
        past = await read_past(desk, stream_at(desk, visit), visit.now)
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
            OfStream,
            history,
            refuses=(HTTPStatus.SERVICE_UNAVAILABLE,),
        )
    ]
