from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer


@pytest.fixture
def kafka() -> Iterator[dict[str, str]]:
    """librdkafka's configuration for its own mock cluster, empty for each test."""
    # The cluster lives as long as the client that it was made with.
    cluster = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    brokers = cluster.list_topics(timeout=10).brokers.values()
    yield {"bootstrap.servers": ",".join(f"{broker.host}:{broker.port}" for broker in brokers)}
    del cluster
