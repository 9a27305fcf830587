"""A worker that is told to stop leaves its group at once, whatever the group waits for."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from deploy.kafka.jars import kafka_missing
from schemas import topics
from tests.brokers import running_broker
from tests.e2e.workers import Workers
from tests.waiting import wait_until
from topology.app import Role
from topology.settings import Settings
from topology.topic_admin import apply_topics

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kafka,
    pytest.mark.skipif(kafka_missing() is not None, reason=str(kafka_missing())),
]
GROUP = f"firebreak-{Role.JUDGEMENT}"
OTHERS = "others"


@contextmanager
def member(bootstrap: str) -> Iterator[Consumer]:
    """A member of the workers' group, which takes its part in it only while it is polled."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": GROUP,
            "client.id": OTHERS,
            "partition.assignment.strategy": "range",
            "session.timeout.ms": 30_000,
        }
    )
    consumer.subscribe([topics.DETECTIONS])
    try:
        yield consumer
    finally:
        consumer.close()


def workers_in_group(bootstrap: str) -> list[str]:
    """Client ids of the members that are workers."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    described = admin.describe_consumer_groups([GROUP])[GROUP].result(30)
    return [it.client_id for it in described.members if it.client_id != OTHERS]


def test_a_worker_leaves_while_its_group_waits_for_another_member(tmp_path: Path) -> None:
    with running_broker("kafka", tmp_path) as bootstrap:
        apply_topics(Settings(), bootstrap)
        workers = Workers(bootstrap, tmp_path / "made by the worker")
        try:
            workers.start()
            with member(bootstrap) as slow:

                def both_share() -> bool:
                    slow.poll(0.1)
                    return bool(slow.assignment()) and workers.ready()

                wait_until(both_share, 60)
                with member(bootstrap):
                    # The group forms anew, and waits for the slow one.
                    wait_until(lambda: not workers.ready(), 30)
                    worker, _ = workers.running[0]
                    worker.send_signal(signal.SIGTERM)
                    assert worker.wait(30) == 0
                    assert workers_in_group(bootstrap) == []
        finally:
            workers.end_all()
