"""A Kafka for all tests: one embedded broker for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from topology.broker import EmbeddedBroker
from topology.settings import Settings
from topology.topic_admin import apply_topics


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of a broker that all tests share: have topics, keys or groups of your own."""
    settings = Settings(runtime_dir=tmp_path_factory.mktemp("broker"))
    with EmbeddedBroker(settings) as embedded:
        yield embedded.bootstrap
        embedded.check()


@pytest.fixture(scope="session")
def topics_broker(broker: str) -> str:
    """``broker``, with all of the project's topics as planned."""
    apply_topics(Settings(), broker)
    return broker


@pytest.fixture
def kafka_settings(broker: str, tmp_path: Path) -> Settings:
    """Settings of a process that uses ``broker``."""
    return Settings(bootstrap_servers=broker, runtime_dir=tmp_path / "runtime")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden", action="store_true", help="Write the golden decision logs anew."
    )
