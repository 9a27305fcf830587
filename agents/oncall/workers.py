"""What the workers say of themselves, folded: who there is, how fast they are, what waits. Pure.

A worker reports every two seconds. Its counts only rise, so that the newest report and the one
before it give rates. One that is not heard of for ten seconds is silent: what it last said of its
partitions is somebody else's to say by then, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from schemas import MICROSECONDS, AgentCounted, Event, TopicCounted, WorkerReported

SILENT_AFTER = 10 * MICROSECONDS
FORGOTTEN_AFTER = 600 * MICROSECONDS
WORKERS_KEPT = 256
_PARTS = 64
"""Agents, topics and whatever else of one report; ours have fewer."""
_NOTHING = TopicCounted("", [], 0, 0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class AgentNow:
    """An agent of one worker, or of all of a role. Rates are records a second."""

    agent: str
    workers: int
    """That are heard of."""
    taken: float
    published: float
    refused: float
    dead_lettered: float
    dead_letters: int
    """Since the workers started."""


@dataclass(frozen=True, slots=True)
class TopicNow:
    """A topic, as one worker or all of them have it. Rates are records a second."""

    topic: str
    partitions: int
    """That the workers have."""
    written: float
    """By workers; who else writes is not known."""
    read: float
    waiting: int
    lag_seconds: float


@dataclass(frozen=True, slots=True)
class WorkerNow:
    """One worker. Times are microseconds since the epoch."""

    report: WorkerReported
    heard_at: int
    """When Kafka had its newest report."""
    silent: bool
    agents: tuple[AgentNow, ...]
    topics: tuple[TopicNow, ...]

    @property
    def lag_seconds(self) -> float:
        return max((it.lag_seconds for it in self.topics), default=0.0)

    @property
    def waiting(self) -> int:
        return sum(it.waiting for it in self.topics)


@dataclass(frozen=True, slots=True)
class Heard:
    """A worker's newest report, and the one before it."""

    newest: WorkerReported
    heard_at: int
    before: WorkerReported | None = None

    @property
    def seconds(self) -> float:
        """Between the two; 0 where there is one."""
        before = self.before
        return 0.0 if before is None else (self.newest.time - before.time) / MICROSECONDS


class Workers:
    """Keeps the newest two reports of at most 256 workers: the longest unheard of goes first."""

    def __init__(self) -> None:
        self._heard: dict[str, Heard] = {}

    def apply(self, event: Event, at: int) -> Heard | None:
        """Fold in what Kafka had ``at``; only what a worker reported changes anything.

        What is known of the worker then; nothing where that is what was known before.
        """
        if not isinstance(event, WorkerReported):
            return None
        event = _bounded(event)
        known = self._heard.pop(event.worker_id, None)
        told = known is None or event.reported_at > known.newest.reported_at
        if known is None:
            known = Heard(event, at)
        elif told:
            known = Heard(event, at, known.newest)
        self._heard[event.worker_id] = known
        while len(self._heard) > WORKERS_KEPT:
            del self._heard[min(self._heard, key=lambda it: self._heard[it].heard_at)]
        return known if told else None

    def now(self, now: int) -> list[WorkerNow]:
        """Those that are not forgotten: by role, silent ones last, the eldest first."""
        known = (it for it in self._heard.values() if now - it.heard_at <= FORGOTTEN_AFTER)
        return sorted(
            (_worker(it, now) for it in known),
            key=lambda it: (
                it.report.role,
                it.silent,
                it.report.started_at,
                it.report.worker_id,
            ),
        )


def agents_of(workers: Iterable[WorkerNow]) -> dict[str, AgentNow]:
    """What all of an agent's workers that are heard of do together, by the agent's name."""
    found: dict[str, list[AgentNow]] = {}
    for worker in workers:
        for agent in () if worker.silent else worker.agents:
            found.setdefault(agent.agent, []).append(agent)
    return {
        name: AgentNow(
            agent=name,
            workers=len(parts),
            taken=sum(it.taken for it in parts),
            published=sum(it.published for it in parts),
            refused=sum(it.refused for it in parts),
            dead_lettered=sum(it.dead_lettered for it in parts),
            dead_letters=sum(it.dead_letters for it in parts),
        )
        for name, parts in found.items()
    }


def topics_of(workers: Iterable[WorkerNow]) -> dict[str, TopicNow]:
    """What all workers that are heard of have of a topic together, by the topic's name."""
    found: dict[str, list[TopicNow]] = {}
    for worker in workers:
        for topic in () if worker.silent else worker.topics:
            found.setdefault(topic.topic, []).append(topic)
    return {
        name: TopicNow(
            topic=name,
            partitions=sum(it.partitions for it in parts),
            written=sum(it.written for it in parts),
            read=sum(it.read for it in parts),
            waiting=sum(it.waiting for it in parts),
            lag_seconds=max(it.lag_seconds for it in parts),
        )
        for name, parts in found.items()
    }


def _worker(heard: Heard, now: int) -> WorkerNow:
    newest, before, seconds = heard.newest, heard.before, heard.seconds
    agents = {it.agent: it for it in before.agents} if before is not None else {}
    topics = {it.topic: it for it in before.topics} if before is not None else {}
    return WorkerNow(
        report=newest,
        heard_at=heard.heard_at,
        silent=now - heard.heard_at > SILENT_AFTER,
        agents=tuple(_agent(it, agents.get(it.agent), seconds) for it in newest.agents),
        topics=tuple(_topic(it, topics.get(it.topic, _NOTHING), seconds) for it in newest.topics),
    )


def _agent(newest: AgentCounted, before: AgentCounted | None, seconds: float) -> AgentNow:
    was = before or AgentCounted(newest.agent, 0, 0, 0, 0)
    return AgentNow(
        agent=newest.agent,
        workers=1,
        taken=_rate(newest.taken, was.taken, seconds),
        published=_rate(newest.published, was.published, seconds),
        refused=_rate(newest.refused, was.refused, seconds),
        dead_lettered=_rate(newest.dead_lettered, was.dead_lettered, seconds),
        dead_letters=newest.dead_lettered,
    )


def _topic(newest: TopicCounted, was: TopicCounted, seconds: float) -> TopicNow:
    return TopicNow(
        topic=newest.topic,
        partitions=len(newest.partitions),
        written=_rate(newest.written, was.written, seconds),
        read=_rate(newest.read, was.read, seconds),
        waiting=newest.waiting,
        lag_seconds=newest.lag_seconds,
    )


def _rate(newest: int, before: int, seconds: float) -> float:
    """A second; 0 while there is nothing to compare with, or a clock was set back."""
    return max(newest - before, 0) / seconds if seconds > 0 else 0.0


def _bounded(event: WorkerReported) -> WorkerReported:
    """``event`` with no more of anything than a worker of ours says."""
    lists: dict[str, Sequence[object]] = {
        name: value
        for name in event.__struct_fields__
        if isinstance(value := getattr(event, name), list) and len(value) > _PARTS
    }
    return replace(event, **{name: value[:_PARTS] for name, value in lists.items()})
