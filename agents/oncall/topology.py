"""The topology as it is now: the graph, with what the workers say of each agent and topic. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import graph
from .workers import AgentNow, TopicNow, WorkerNow, agents_of, topics_of

_UNHEARD = TopicNow("", 0, 0.0, 0.0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class TopicSeen:
    """A topic beside one of its agents, or by itself."""

    topic: str
    short: str
    now: TopicNow | None
    """``None`` while no worker says anything of it."""
    from_outside: str
    to_outside: str


@dataclass(frozen=True, slots=True)
class Batches:
    """How frames are judged, over all workers that judge."""

    sizes: tuple[int, ...]
    """Of each worker, now, ascending."""
    most: int
    seconds_per_frame: float
    """Of the slowest."""


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """An agent with its topics, and what its workers say of it."""

    agent: graph.Agent
    workers: int
    """That are heard of and run it."""
    now: AgentNow | None
    """``None`` where its workers count nothing of it: none is heard of, or it only shows things."""
    takes: tuple[TopicSeen, ...]
    follows: tuple[TopicSeen, ...]
    writes: tuple[TopicSeen, ...]
    lag_seconds: float
    waiting: int
    batches: Batches | None
    providers: tuple[str, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """Every agent and topic, and every worker that is not forgotten."""

    agents: tuple[AgentSeen, ...]
    topics: tuple[TopicSeen, ...]
    workers: tuple[WorkerNow, ...]

    @property
    def silent(self) -> int:
        """How many workers were heard of, and are not any more."""
        return sum(it.silent for it in self.workers)

    @property
    def unstaffed(self) -> tuple[str, ...]:
        """Agents that no worker runs, as far as is heard."""
        return tuple(it.agent.name for it in self.agents if not it.workers)


def topology_of(workers: Sequence[WorkerNow]) -> Topology:
    """The topology as ``workers`` tell of it."""
    topics, agents = topics_of(workers), agents_of(workers)

    def seen(name: str) -> TopicSeen:
        return TopicSeen(
            topic=name,
            short=graph.SHORT[name],
            now=topics.get(name),
            from_outside=graph.FROM_OUTSIDE.get(name, ""),
            to_outside=graph.TO_OUTSIDE.get(name, ""),
        )

    def agent_seen(agent: graph.Agent) -> AgentSeen:
        mine = [it for it in workers if it.report.role == agent.role and not it.silent]
        takes = tuple(seen(name) for name in agent.takes)
        heard = [it.now or _UNHEARD for it in takes]
        return AgentSeen(
            agent=agent,
            workers=len(mine),
            now=agents.get(agent.name),
            takes=takes,
            follows=tuple(seen(name) for name in agent.follows),
            writes=tuple(seen(name) for name in agent.writes),
            lag_seconds=max((it.lag_seconds for it in heard), default=0.0),
            waiting=sum(it.waiting for it in heard),
            batches=_batches(mine),
            providers=_providers(mine),
            errors=tuple(sorted({error for it in mine for error in it.report.errors})),
        )

    names = dict.fromkeys(
        name for agent in graph.AGENTS for name in (*agent.takes, *agent.follows, *agent.writes)
    )
    return Topology(
        agents=tuple(agent_seen(agent) for agent in graph.AGENTS),
        topics=tuple(seen(name) for name in names),
        workers=tuple(workers),
    )


def _batches(workers: Sequence[WorkerNow]) -> Batches | None:
    judging = [it.report for it in workers if it.report.batch_size]
    if not judging:
        return None
    return Batches(
        sizes=tuple(sorted(it.batch_size for it in judging)),
        most=max(it.batch_most for it in judging),
        seconds_per_frame=max(it.seconds_per_frame for it in judging),
    )


def _providers(workers: Sequence[WorkerNow]) -> tuple[str, ...]:
    found = {part.provider for it in workers for part in it.report.in_force if part.provider}
    return tuple(sorted(found))
