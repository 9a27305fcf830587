"""What tests of agents' shells stand on: a publisher that keeps what it is given, and records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar, cast

import faust
from faust.types import TP, ChannelT, Message
from faust.types.agents import AgentTestWrapperT

from agents.intake import Intake, Record
from agents.publishing import Outgoing, PublishFailed
from schemas import Codec, Event

E = TypeVar("E", bound=Event)
CODEC = Codec()


class Aborted(BaseException):
    """Stands for the end of the process: like it, nothing in an agent catches it."""


def abort(message: str) -> NoReturn:
    raise Aborted(message)


@dataclass
class FixedSize:
    """Batches of one size, whatever they cost; what was observed is kept."""

    size: int
    observed: list[tuple[int, float]] = field(default_factory=list)

    def observe(self, events: int, seconds: float) -> None:
        self.observed.append((events, seconds))


def record(app: faust.App, value: bytes = b"", key: bytes = b"key", offset: int = 0) -> Record:
    """A record of topic ``in``, partition 3, appended 1.5 s after the epoch."""
    message = Message(
        "in", 3, offset, 1.5, 0, [("traceparent", b"trace")], key, value, None, tp=TP("in", 3)
    )
    return faust.Event(app, key, value, {}, message)


@dataclass
class KeepingPublisher:
    """A ``Publisher`` in memory; with ``broken`` set it refuses like brokers that are away."""

    kept: list[Outgoing] = field(default_factory=list)
    broken: bool = False

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        if self.broken and outgoing:
            raise PublishFailed("brokers are away")
        for item in outgoing:
            CODEC.encode(item.event)
        self.kept.extend(outgoing)

    def events(self, event_type: type[E]) -> list[E]:
        return [item.event for item in self.kept if isinstance(item.event, event_type)]


@dataclass
class KeepingStateLog:
    """A ``StateLog`` in memory; reading it is counted."""

    kept: dict[int, dict[bytes, bytes]] = field(default_factory=lambda: defaultdict(dict))
    reads: int = 0

    async def read(self, partition: int) -> dict[bytes, bytes]:
        self.reads += 1
        return dict(self.kept[partition])

    async def write(self, partition: int, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.kept[partition].pop(key)
        else:
            self.kept[partition][key] = value


@dataclass
class Bench:
    """An app, a publisher and an intake for one agent under test."""

    agent: str
    app: faust.App = field(
        default_factory=lambda: faust.App("test", store="memory://", autodiscover=False)
    )
    publisher: KeepingPublisher = field(default_factory=KeepingPublisher)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def intake(self) -> Intake:
        return Intake(self.agent, self.publisher, abort, self.counts)


async def put_record(
    agent: AgentTestWrapperT, topic: str, value: bytes, offset: int, key: bytes = b"key"
) -> None:
    """Put one record of ``topic``, partition 0, through an agent that reads several topics.

    Faust's own ``put`` knows of one. What the agent did with it is to be seen once its test
    context is left.
    """
    channel = cast(ChannelT[Any], agent.stream().channel)
    message = Message(
        *(topic, 0, offset, 1.5, 0, [], key, value, None),
        tp=TP(topic, 0),
        # Of another generation it would be passed over, as after a rebalance.
        generation_id=agent.app.consumer_generation_id,
    )
    await channel.put(await channel.decode(message))
    async with agent.new_value_processed:
        await agent.new_value_processed.wait()
