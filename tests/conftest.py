"""A Kafka for all tests: one broker for the whole run, embedded or, if asked for, Apache's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from deploy.kafka.jars import kafka_missing
from tests.brokers import BROKERS, BrokerKind, running_broker
from topology.settings import Settings
from topology.topic_admin import apply_topics

_ON_A_BROKER = {"broker", "broker_kind"}

# Machines are shared: how long an example took says nothing of the code.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden", action="store_true", help="Write the golden decision logs anew."
    )
    parser.addoption(
        "--broker", choices=BROKERS, default="embedded", help="What tests of the contract run on."
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is tested on whichever broker is the contract with it."""
    for item in items:
        if isinstance(item, pytest.Function) and _ON_A_BROKER & set(item.fixturenames):
            item.add_marker("contract")


@pytest.fixture(scope="session")
def broker_kind(request: pytest.FixtureRequest) -> BrokerKind:
    """Which brokers to run on."""
    kind: BrokerKind = request.config.getoption("--broker")
    if kind == "kafka" and (missing := kafka_missing()) is not None:
        pytest.skip(missing)
    return kind


@pytest.fixture(scope="session")
def broker(broker_kind: BrokerKind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of a broker that all tests share: have topics, keys or groups of your own."""
    with running_broker(broker_kind, tmp_path_factory.mktemp("broker")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def topics_broker(broker: str) -> str:
    """``broker``, with all of the project's topics as planned."""
    apply_topics(Settings(), broker)
    return broker


@pytest.fixture
def kafka_settings(broker: str, tmp_path: Path) -> Settings:
    """Settings of a process that uses ``broker``."""
    return Settings(bootstrap_servers=broker, runtime_dir=tmp_path / "runtime")


def pytest_runtest_setup() -> None:
    """SVT-AV1, run by root, puts its caller before all else on the machine (SCHED_FIFO), and what
    is started then stays there: brokers and workers, with nothing left for anybody else."""
    if sys.platform == "linux" and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
