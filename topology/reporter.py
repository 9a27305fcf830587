"""Tells, every few seconds, what this worker is and does; any worker's page shows all of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast
from uuid import uuid4

import faust
import psutil
from faust.exceptions import ConsumerNotStarted
from faust.types import TP
from mode import Service

from agents.publishing import Publisher, PublishFailed, outgoing
from schemas import AgentCounted, PartInForce, TopicCounted, WorkerReported, derive_id

from .backlog import Backlog, Lags
from .runs import backlogs, handed_out

REPORT_SECONDS = 2.0
_WORDS = 300
"""Characters of what is wrong: a bundle may make ONNX Runtime say anything."""
_DONE, _PUBLISHED, _DEAD = "events", "published", "dead-lettered "
_REFUSED = ("refused ", "frames shed", "frames of streams at risk shed", "frames too old ")
"""As ``Intake`` and the agents count, behind the agent's name."""


class Sized(Protocol):
    """How large batches are and what they cost; ``BatchSize`` is one."""

    most: int

    @property
    def size(self) -> int: ...

    @property
    def besides(self) -> float: ...

    @property
    def cost(self) -> Cost: ...


class Cost(Protocol):
    """Seconds."""

    @property
    def fixed(self) -> float: ...

    @property
    def per_frame(self) -> float: ...


@dataclass(slots=True)
class Sources:
    """Where a report's parts come from; each is asked when a report is made."""

    role: str
    counts: Mapping[str, int]
    """As ``Intake`` counts."""
    written: Mapping[str, int]
    """Records by topic."""
    read: Callable[[], Mapping[str, int]]
    """Records by topic."""
    assigned: Callable[[], Iterable[TP]]
    backlogs: Callable[[], Mapping[TP, Backlog]]
    readiness: Callable[[], Mapping[str, bool]]
    agents: list[str] = field(default_factory=list)
    in_force: Callable[[], list[PartInForce]] = list
    failures: tuple[Callable[[], list[str]], ...] = ()
    batch: Sized | None = None

    def tell_of(
        self, in_force: Callable[[], list[PartInForce]], *failures: Callable[[], list[str]]
    ) -> None:
        """What the worker's role works with, and what may be wrong with it."""
        self.in_force, self.failures = in_force, failures


def sources_of(
    app: faust.App,
    role: str,
    counts: Mapping[str, int],
    written: Mapping[str, int],
    readiness: Callable[[], Mapping[str, bool]],
) -> Sources:
    """What ``app`` itself is asked for; its agents are to be added."""
    return Sources(
        role,
        counts,
        written,
        read=lambda: handed_out(app),
        assigned=lambda: _assigned(app),
        backlogs=lambda: backlogs(app),
        readiness=readiness,
    )


class Reporter(Service):
    """Runs with the Faust app and ends with it. ``now_us`` is the wall clock in microseconds.

    A report that can't be published is left out: nothing waits for one, and nothing ends with it.
    """

    def __init__(
        self,
        sources: Sources,
        publisher: Publisher,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self._sources = sources
        self._publisher = publisher
        self._now_us = now_us
        # Made up, and not the machine's name, which may be a person's.
        self._worker_id = str(uuid4())
        self._started_at = now_us()
        self._lags = Lags()
        self._process = psutil.Process()

    @Service.task
    async def _tell(self) -> None:
        while not self.should_stop:
            await self.sleep(REPORT_SECONDS)
            await self.tell()

    async def tell(self) -> None:
        """Publish a report; where that can't be done there is none."""
        try:
            await self._publisher.publish([outgoing(self.report(), None)])
        except PublishFailed as failure:
            self.log.warning("not reported: %s", failure)
        # A service's task that raises ends the app, and with it the judging of frames.
        except Exception as error:  # noqa: BLE001
            self.log.warning("no report: %s: %s", type(error).__name__, error)

    def report(self) -> WorkerReported:
        """What the worker is now."""
        sources, now = self._sources, self._now_us()
        batch = sources.batch
        return WorkerReported(
            report_id=derive_id("report", self._worker_id, now),
            worker_id=self._worker_id,
            role=sources.role,
            started_at=self._started_at,
            reported_at=now,
            agents=[_counted(agent, sources.counts) for agent in sources.agents],
            topics=self._topics(now),
            in_force=sources.in_force(),
            not_ready=[name for name, met in sources.readiness().items() if not met],
            errors=[error[:_WORDS] for told in sources.failures for error in told()],
            batch_size=batch.size if batch else 0,
            batch_most=batch.most if batch else 0,
            seconds_per_batch=batch.besides if batch else 0.0,
            seconds_per_frame=batch.cost.per_frame if batch else 0.0,
            rss_bytes=self._process.memory_info().rss,
        )

    def _topics(self, now: int) -> list[TopicCounted]:
        sources = self._sources
        read, backlogs = sources.read(), sources.backlogs()
        lags = self._lags.observe(now // 1000, backlogs)
        partitions: dict[str, list[int]] = {}
        for tp in sorted(sources.assigned()):
            partitions.setdefault(tp.topic, []).append(tp.partition)
        waiting: Counter[str] = Counter()
        lag: dict[str, float] = {}
        for tp, backlog in backlogs.items():
            waiting[tp.topic] += backlog.waiting
            lag[tp.topic] = max(lag.get(tp.topic, 0.0), lags[tp])
        return [
            TopicCounted(
                topic=topic,
                partitions=partitions.get(topic, []),
                read=read.get(topic, 0),
                written=sources.written.get(topic, 0),
                waiting=waiting[topic],
                lag_seconds=round(lag.get(topic, 0.0), 3),
            )
            for topic in sorted(partitions.keys() | sources.written.keys() | read.keys())
        ]


def _assigned(app: faust.App) -> Iterable[TP]:
    try:
        return cast(Iterable[TP], app.consumer.assignment())
    except ConsumerNotStarted:
        return ()


def _counted(agent: str, counts: Mapping[str, int]) -> AgentCounted:
    told = {
        name.removeprefix(f"{agent} "): count
        for name, count in counts.items()
        if name.startswith(f"{agent} ")
    }
    return AgentCounted(
        agent=agent,
        taken=told.get(_DONE, 0),
        published=told.get(_PUBLISHED, 0),
        refused=sum(count for name, count in told.items() if name.startswith(_REFUSED)),
        dead_lettered=sum(count for name, count in told.items() if name.startswith(_DEAD)),
    )
