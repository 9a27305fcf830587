"""A Faust app that serves the on-call view, without Kafka."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import faust
from aiohttp import web as web_server
from aiohttp.test_utils import TestClient

from agents.decision.controls import Controls
from agents.decision.defaults import default_policy
from agents.following import Progress
from agents.oncall import front, health, web
from agents.oncall.desk import Desk
from agents.oncall.giving import NotOrdered
from agents.oncall.guard import AccessGuard
from agents.oncall.letters import Letter
from agents.oncall.live import Listeners
from agents.oncall.policies import PolicyTold
from agents.oncall.ports import Unavailable
from agents.oncall.previews import Preview, RawRecord, preview
from agents.oncall.read_model import ReadModel
from agents.oncall.redriving import NotPutBack, PutBack, RedriveOrder
from schemas import Codec, DrillOrdered, OperatorCommanded
from tests import signed_in

from .events import NOW
from .evidence import EvidenceRoom

Client = TestClient[web_server.Request, web_server.Application]
MakeGuard = Callable[[Counter[str], Callable[[], int]], AccessGuard]
POLICY = default_policy()


@dataclass
class FeedAsTold:
    """A feed's status that a test sets."""

    progress: Progress = Progress.FOLLOWING
    last_error: str | None = None
    undecodable: int = 0


@dataclass
class DrillsAsTold:
    """A ``RunDrills`` that keeps what is ordered, and fails as a test sets it to."""

    ordered: list[DrillOrdered] = field(default_factory=list)
    failure: Exception | None = None

    async def begin(self, order: DrillOrdered) -> None:
        if self.failure is not None:
            raise self.failure
        self.ordered.append(order)

    async def end(self, order: DrillOrdered) -> None:
        await self.begin(order)


@dataclass
class DeadLettersAsTold:
    """A ``DeadLetterOffice`` that keeps what is ordered, and fails as a test sets it to."""

    ordered: list[RedriveOrder] = field(default_factory=list)
    record: RawRecord = field(default_factory=lambda: RawRecord([], b"rubbish"))
    failure: str = ""

    async def preview(self, letter: Letter) -> Preview:
        if self.failure:
            raise Unavailable(self.failure)
        return preview(self.record, letter.event.topic, Codec())

    async def put_back(self, order: RedriveOrder) -> PutBack:
        if self.failure:
            raise NotPutBack(self.failure)
        self.ordered.append(order)
        return PutBack(redriven=len(order.letters), gone=0, left=0)


@dataclass
class Served:
    """What a served app shows, for a test to change while it is served."""

    app: faust.App
    read_model: ReadModel
    feed: FeedAsTold = field(default_factory=FeedAsTold)
    checks: dict[str, bool] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    runs: dict[str, object] = field(default_factory=dict)
    controls: Controls = field(default_factory=Controls)
    now_us: int = NOW
    given: list[Any] = field(default_factory=list)
    """What people ordered, as it would have gone into Kafka."""
    kafka_away: str = ""
    """Why Kafka takes no orders, where it does not."""
    drills: DrillsAsTold = field(default_factory=DrillsAsTold)
    dead_letters: DeadLettersAsTold = field(default_factory=DeadLettersAsTold)
    policies: list[PolicyTold] = field(default_factory=list)
    room: EvidenceRoom = field(default_factory=EvidenceRoom)

    def held_back(self) -> Mapping[str, object]:
        """As a worker tells it."""
        return self.controls.status(POLICY, self.now_us)

    async def give_order(self, order: OperatorCommanded | DrillOrdered) -> None:
        """A ``GiveOrder`` that keeps what is given."""
        if self.kafka_away:
            raise NotOrdered(self.kafka_away)
        self.given.append(order)

    def ready(self) -> Mapping[str, bool]:
        return self.checks

    def now(self) -> int:
        return self.now_us


def serve(
    guarded: MakeGuard = signed_in.guard,
    listeners: Listeners | None = None,
    **app_settings: Any,
) -> Served:
    """All of it, behind the guard that ``guarded`` makes."""
    app = faust.App(
        "oncall-test",
        broker="kafka://127.0.0.1:1",
        store="memory://",
        autodiscover=False,
        web_tables_enabled=False,
        web_router_enabled=False,
        **app_settings,
    )
    served = Served(app, ReadModel())
    guard = guarded(served.counts, served.now)
    front.register(app, guard)
    health.register(app, served.ready, served.counts, lambda: served.runs, guard)
    desk = Desk(
        served.read_model,
        served.feed,
        served.held_back,
        give_order=served.give_order,
        policies=lambda: tuple(served.policies),
        drills=served.drills,
        dead_letters=served.dead_letters,
        sources=served.room.sources(),
    )
    web.register(app, desk, guard, listeners)
    return served


async def page(client: Client, path: str = "/") -> str:
    response = await client.get(path)
    assert response.status == 200
    return await response.text()
