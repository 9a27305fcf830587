"""The topology: who runs, what waits, what failed. Rates are records a second."""

from __future__ import annotations

import msgspec

from schemas import PartInForce

from ..access.roles import Permission
from ..desk import Desk
from ..topology import AgentSeen, Batches, TopicSeen, topology_of
from ..workers import AgentNow, TopicNow, WorkerNow
from .operations import AnyOperation, Call, NothingAsked, Operation


class AgentTold(msgspec.Struct, frozen=True):
    """An agent, and what all its workers say of it together."""

    name: str
    role: str
    """The workers that it runs on."""
    does: str
    takes: list[str]
    follows: list[str]
    writes: list[str]
    workers: int
    """That are heard of and run it."""
    now: AgentNow | None
    lag_seconds: float
    waiting: int
    batches: Batches | None
    providers: list[str]
    errors: list[str]


class ReportTold(msgspec.Struct, frozen=True):
    """One worker, as it last reported itself."""

    report_id: str
    worker_id: str
    role: str
    started_at: int
    reported_at: int
    heard_at: int
    silent: bool
    in_force: list[PartInForce]
    not_ready: list[str]
    errors: list[str]
    batch_size: int
    batch_most: int
    seconds_per_batch: float
    seconds_per_frame: float
    rss_bytes: int
    agents: list[AgentNow]
    topics: list[TopicNow]


class TopologyTold(msgspec.Struct, frozen=True):
    """Every agent and topic, and every worker that is not forgotten."""

    as_of: int
    unstaffed: list[str]
    """Agents that no worker runs, as far as is heard."""
    agents: list[AgentTold]
    topics: list[TopicSeen]
    workers: list[ReportTold]


def operations(desk: Desk) -> list[AnyOperation]:
    """One operation."""

    async def topology(call: Call[NothingAsked, None]) -> TopologyTold:
        now = call.visit.now
        found = topology_of(desk.read_model.workers.now(now))
        return TopologyTold(
            as_of=now,
            unstaffed=list(found.unstaffed),
            agents=[_agent(it) for it in found.agents],
            topics=list(found.topics),
            workers=[_worker(it) for it in found.workers],
        )

    return [
        Operation(
            "getTopology",
            "GET",
            "/api/v1/topology",
            Permission.VIEW,
            "Agents, topics and workers with their rates and how far they are behind.",
            "topology",
            TopologyTold,
            NothingAsked,
            topology,
        )
    ]


def _agent(it: AgentSeen) -> AgentTold:
    agent = it.agent
    return AgentTold(
        name=agent.name,
        role=agent.role,
        does=agent.does,
        takes=list(agent.takes),
        follows=list(agent.follows),
        writes=list(agent.writes),
        workers=it.workers,
        now=it.now,
        lag_seconds=it.lag_seconds,
        waiting=it.waiting,
        batches=it.batches,
        providers=list(it.providers),
        errors=list(it.errors),
    )


def _worker(worker: WorkerNow) -> ReportTold:
    told = msgspec.structs.asdict(worker.report)
    told.update(agents=list(worker.agents), topics=list(worker.topics))
    return ReportTold(**told, heard_at=worker.heard_at, silent=worker.silent)
