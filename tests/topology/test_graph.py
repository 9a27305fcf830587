"""The graph that people are shown is the one that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.following import Follower
from agents.oncall import graph
from agents.oncall.feed import FOLLOWED
from schemas import topics
from topology.acl_admin import load_acls
from topology.app import Role

from .built import built

SHARDS = {topics.FRAME_SAMPLES, topics.STREAM_UPDATES}
"""What a drill's own stream is sent to."""


@pytest.mark.parametrize("role", Role)
def test_agents_take_what_the_graph_says(role: Role, tmp_path: Path) -> None:
    app = built(role, tmp_path)
    taken = {name: set(agent.channel.topics) for name, agent in app.agents.items()}
    assert taken == {it.name: set(it.takes) for it in graph.AGENTS if it.role == role and it.takes}


@pytest.mark.parametrize("role", Role)
def test_workers_follow_what_the_graph_says(role: Role, tmp_path: Path) -> None:
    app = built(role, tmp_path)
    followed = {topic for it in app._children if isinstance(it, Follower) for topic in it._followed}
    said = {topic for it in graph.AGENTS if it.role == role for topic in it.follows}
    assert followed == said - {topics.DECISION_STATES}


def test_the_on_call_view_follows_what_the_graph_says() -> None:
    (on_call,) = (it for it in graph.AGENTS if it.name == graph.ON_CALL)
    assert set(on_call.follows) == FOLLOWED.keys()


def granted(role: Role, operation: str) -> set[str]:
    return {
        it.name
        for it in load_acls()
        if (it.principal, it.operation, it.resource)
        == (f"User:firebreak-{role}", operation, "topic")
    }


@pytest.mark.parametrize("role", Role)
def test_agents_write_what_the_graph_says_and_may_write_nothing_else(role: Role) -> None:
    """Besides, all workers report, and the on-call view puts records back and sends drills."""
    said = {topic for it in graph.AGENTS if it.role == role for topic in it.writes}
    besides = {*SHARDS, *graph.REDRIVEN_INTO} if role is Role.JUDGEMENT else set()
    assert granted(role, "write") - besides == (said | {topics.WORKERS}) - besides


@pytest.mark.parametrize("role", Role)
def test_agents_may_read_what_the_graph_says(role: Role) -> None:
    said = {topic for it in graph.AGENTS if it.role == role for topic in (*it.takes, *it.follows)}
    assert said <= granted(role, "read")


def test_every_topic_is_somewhere_on_the_graph() -> None:
    shown = {it for agent in graph.AGENTS for it in (*agent.takes, *agent.follows, *agent.writes)}
    assert shown == topics.ALL
