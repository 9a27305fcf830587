"""What tests of agents' shells stand on: a publisher that keeps what it is given, and records."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar, cast

import faust
from faust.types import TP, ChannelT
from faust.types.agents import AgentTestWrapperT

from agents.decision.state_log import IsMember
from agents.intake import Intake
from agents.publishing import Outgoing, OutputTooLarge, PublishFailed
from agents.records import Record
from schemas import Codec, Event
from tests.waiting import wait_until_async
from topology.committing import RunMessage
from topology.fetching import Fetched

E = TypeVar("E", bound=Event)
CODEC = Codec()


class Aborted(asyncio.CancelledError):
    """Stands for the end of the process: like it, nothing in an agent catches it."""


@dataclass
class FixedSize:
    """Batches of one size, whatever they cost; what was observed is kept."""

    size: int
    observed: list[tuple[int, float, float]] = field(default_factory=list)

    def observe(self, events: int, seconds: float, acknowledged: float) -> None:
        self.observed.append((events, seconds, acknowledged))


def record(
    value: bytes | None = b"",
    offset: int = 0,
    *,
    key: bytes = b"key",
    topic: str = "in",
    partition: int = 3,
    appended_at: int = 1_500_000,
) -> Fetched:
    """A record, ``appended_at`` in microseconds since the epoch."""
    at = appended_at // 1000
    return Fetched(topic, partition, offset, at, key, value, lambda: [("traceparent", b"trace")])


@dataclass
class KeepingPublisher:
    """A ``Publisher`` in memory; with ``broken`` set it refuses like brokers that are away, and
    like any brokers what is encoded in more than ``most_bytes``."""

    kept: list[Outgoing] = field(default_factory=list)
    broken: bool = False
    most_bytes: int = 4 * 1024 * 1024

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        if self.broken and outgoing:
            raise PublishFailed("brokers are away")
        for item in outgoing:
            if len(CODEC.encode(item.event)) > self.most_bytes:
                raise OutputTooLarge("too large")
            self.kept.append(item)

    def events(self, event_type: type[E]) -> list[E]:
        return [item.event for item in self.kept if isinstance(item.event, event_type)]


@dataclass
class KeepingStateLog:
    """A ``StateLog`` in memory; reading it is counted, and ``buried`` are the keys that somebody
    else has written to."""

    kept: dict[int, dict[bytes, bytes]] = field(default_factory=lambda: defaultdict(dict))
    reads: int = 0
    buried: set[bytes] = field(default_factory=set)

    lost: bool = False
    """Whether another worker has the partitions."""

    async def take(self, partition: int, is_member: IsMember) -> dict[bytes, bytes] | None:
        return await self.read(partition) if await is_member() else None

    async def read(self, partition: int) -> dict[bytes, bytes]:
        self.reads += 1
        return dict(self.kept[partition])

    async def write(self, partition: int, key: bytes, value: bytes | None) -> bool:
        if self.lost:
            return False
        if value is None:
            self.kept[partition].pop(key, None)
        else:
            self.kept[partition][key] = value
        return True

    async def holds(self, partition: int) -> bool:
        return not self.lost

    def take_buried(self, partition: int) -> set[bytes]:
        buried, self.buried = self.buried, set()
        return buried


@dataclass
class Bench:
    """An app, a publisher and an intake for one agent under test."""

    agent: str
    app: faust.App = field(
        default_factory=lambda: faust.App("test", store="memory://", autodiscover=False)
    )
    publisher: KeepingPublisher = field(default_factory=KeepingPublisher)
    counts: Counter[str] = field(default_factory=Counter)

    aborted: list[str] = field(default_factory=list)
    """What was said as the process was ended."""

    @property
    def intake(self) -> Intake:
        return Intake(self.agent, self.publisher, self.abort, self.counts)

    def abort(self, message: str) -> NoReturn:
        self.aborted.append(message)
        raise Aborted(message)

    async def put(self, *runs: Sequence[Record]) -> None:
        """Put ``runs`` through the agent, one by one, each until it is acknowledged.

        Raises ``Aborted`` once the process would have ended.
        """
        async with self.app.agents[self.agent].test_context() as agent:
            for run in runs:
                message = await put_run(agent, run)
                await wait_until_async(lambda m=message: m.acked or bool(self.aborted), 20)  # type: ignore[misc]
                if self.aborted:
                    raise Aborted(self.aborted[0])


async def put_run(agent: AgentTestWrapperT, run: Sequence[Record]) -> RunMessage:
    """Give ``run`` to an agent as its app's transport would; Faust's own ``put`` knows no runs."""
    channel = cast(ChannelT[Any], agent.stream().channel)
    tp = TP(run[0].topic, run[0].partition)
    # Of another generation it would be passed over, as after a rebalance.
    message = RunMessage.of(tp, run, agent.app.consumer_generation_id)
    await channel.put(await channel.decode(message))
    return message
