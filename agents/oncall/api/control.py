"""What holds takedowns back, and which policies and bundles run."""

from __future__ import annotations

from ..access.roles import Permission
from ..desk import Desk
from ..drilling import running
from ..handles import handle_of
from ..in_force import at_odds, in_force
from ..policies import differences
from .operations import AnyOperation, Call, NothingAsked, Operation
from .streams import held_back
from .views import Compared, ControlTold, DrillTold


def operations(desk: Desk) -> list[AnyOperation]:
    """One operation."""

    async def control(call: Call[NothingAsked, None]) -> ControlTold:
        now = call.visit.now
        policies = desk.policies()
        workers = desk.read_model.workers.now(now)
        bundles, labels = (in_force(kind, workers) for kind in ("bundle", "policy"))
        return ControlTold(
            as_of=now,
            held_back=held_back(desk),
            policies=list(policies),
            compared=[
                Compared(it.place, it.label, differences(policies[0], it)) for it in policies[1:]
            ],
            bundles_in_force=bundles,
            policies_in_force=labels,
            bundles_at_odds=at_odds(bundles),
            policies_at_odds=at_odds(labels),
            drill=_drill(desk, now),
        )

    return [
        Operation(
            "getControl",
            "GET",
            "/api/v1/control",
            Permission.VIEW,
            "Kill switches, the breaker, policies, bundles and the newest drill.",
            "control",
            ControlTold,
            NothingAsked,
            control,
        )
    ]


def _drill(desk: Desk, now: int) -> DrillTold | None:
    drill = desk.read_model.drills.newest()
    if drill is None:
        return None
    order = drill.started.event
    return DrillTold(
        handle=handle_of(order.stream_id),
        operator=order.operator,
        reason=order.reason,
        started_at=drill.started.at,
        until=order.until,
        runs=running(desk, now) is not None,
        failure=drill.failure,
    )
