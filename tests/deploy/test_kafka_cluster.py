"""The Kafka that other tests stand on and break: started, killed, started again, gone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without __all__
    AdminClient,
    NewTopic,
)

from deploy.kafka.cluster import KafkaCluster
from deploy.kafka.jars import kafka_missing
from deploy.kafka.node import Node, properties_text
from deploy.kafka.process import QUICK_START, BrokerNotRunning, ClusterNotStarted
from schemas import topics
from tests.waiting import wait_until
from topology.kafka_config import PRODUCER, largest_record, librdkafka_config
from topology.settings import Settings
from topology.topic_admin import apply_topics, load_plan, open_admin, read_topics
from topology.topic_plan import compare

LIMIT_SECONDS = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For a cluster; the test is skipped where Kafka can't run."""
    if (missing := kafka_missing()) is not None:
        pytest.skip(missing)
    return tmp_path / "kafka"


@pytest.fixture
def one(folder: Path) -> Iterator[KafkaCluster]:
    with KafkaCluster(folder, properties=soon_missed, java_options=QUICK_START) as cluster:
        yield cluster


@pytest.fixture
def three(folder: Path) -> Iterator[KafkaCluster]:
    with KafkaCluster(
        folder, brokers=3, properties=soon_missed, java_options=QUICK_START
    ) as cluster:
        yield cluster


def soon_missed(_: Node) -> dict[str, str]:
    """A killed broker is given up after 4 seconds instead of 6."""
    return {"broker.session.timeout.ms": "4000", "broker.heartbeat.interval.ms": "500"}


@pytest.mark.e2e
def test_one_broker_takes_the_planned_topics_and_gives_the_largest_record_back(
    one: KafkaCluster,
) -> None:
    """The topics come out as planned, and a record as large as they allow goes through."""
    settings = Settings()
    apply_topics(settings, one.bootstrap)
    plan = load_plan()
    assert not compare(plan, read_topics(open_admin(settings, one.bootstrap), plan))
    payload = os.urandom(settings.max_payload_bytes)
    produce(settings, one.bootstrap, topics.FRAME_SAMPLES, [payload])
    assert read_back(settings, one.bootstrap, topics.FRAME_SAMPLES, 1) == [payload]


@pytest.mark.e2e
def test_a_clean_stop_leaves_no_process_and_no_folder(folder: Path) -> None:
    """Not even of a broker that was paused."""
    with KafkaCluster(folder) as cluster:
        (pid,) = cluster.pids.values()
        assert folder.is_dir()
        cluster.pause(1)
    assert not psutil.pid_exists(pid)
    assert not (folder).exists()
    assert cluster.pids == {}


@pytest.mark.e2e
def test_three_brokers_go_on_without_one_and_take_it_back(three: KafkaCluster) -> None:
    """Each acknowledged record is on two brokers at least, whichever of them is killed."""
    settings, bootstrap, topic = Settings(), three.bootstrap, "kept"
    # Brokers hear of topics one after the other: again at once finds nothing to do all the same.
    apply_topics(settings, bootstrap)
    apply_topics(settings, bootstrap)
    admin = open_admin(settings, bootstrap)
    admin.create_topics([NewTopic(topic, 3)])[topic].result(LIMIT_SECONDS)
    wait_until(lambda: in_sync(admin, topic) == [{1, 2, 3}] * 3, LIMIT_SECONDS)

    produce(settings, bootstrap, topic, [b"all there"])
    three.kill(2)
    assert three.pids.keys() == {1, 3}
    produce(settings, bootstrap, topic, [b"one gone %d" % number for number in range(30)])
    wait_until(lambda: in_sync(admin, topic) == [{1, 3}] * 3, LIMIT_SECONDS)

    three.start_broker(2)
    assert three.pids.keys() == {1, 2, 3}
    wait_until(lambda: in_sync(admin, topic) == [{1, 2, 3}] * 3, LIMIT_SECONDS)
    three.kill(1)
    produce(settings, bootstrap, topic, [b"another gone"])

    records = read_back(settings, bootstrap, topic, 32)
    assert sorted(records) == sorted(
        [b"all there", *(b"one gone %d" % number for number in range(30)), b"another gone"]
    )


@pytest.mark.e2e
def test_acknowledged_records_survive_the_only_broker_being_killed(one: KafkaCluster) -> None:
    """It is started again with the same data, at the same address."""
    settings, bootstrap = Settings(), one.bootstrap
    admin = open_admin(settings, bootstrap)
    admin.create_topics([NewTopic("kept", 1)])["kept"].result(LIMIT_SECONDS)
    produce(settings, bootstrap, "kept", [b"before"])
    one.kill(1)
    with pytest.raises(BrokerNotRunning):
        one.pause(1)
    one.start_broker(1)
    assert one.bootstrap == bootstrap
    produce(settings, bootstrap, "kept", [b"after"])
    assert read_back(settings, bootstrap, "kept", 2) == [b"before", b"after"]


@pytest.mark.e2e
def test_a_paused_broker_is_silent_until_it_is_resumed(one: KafkaCluster) -> None:
    """What is sent meanwhile arrives afterwards."""
    admin = open_admin(Settings(), one.bootstrap)
    admin.create_topics([NewTopic("kept", 1)])["kept"].result(LIMIT_SECONDS)
    producer = Producer(librdkafka_config(Settings(), one.bootstrap) | PRODUCER)
    one.pause(1)
    assert one.pids.keys() == {1}
    producer.produce("kept", b"patient")
    assert producer.flush(1) == 1
    one.resume(1)
    assert producer.flush(LIMIT_SECONDS) == 0
    assert read_back(Settings(), one.bootstrap, "kept", 1) == [b"patient"]


@pytest.mark.e2e
def test_a_brokers_own_properties_secure_its_clients_listener(folder: Path) -> None:
    """Clients have to sign in and need permission; brokers go on among themselves."""

    def secured(_: Node) -> dict[str, str]:
        module = "org.apache.kafka.common.security.plain.PlainLoginModule"
        return {
            "listener.security.protocol.map": (
                "CLIENTS:SASL_PLAINTEXT,BROKERS:PLAINTEXT,CONTROLLERS:PLAINTEXT"
            ),
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.clients.plain.sasl.jaas.config": (
                f'{module} required user_firebreak="let \\"me\\" in" user_other="me too";'
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:firebreak",
        }

    def signed_in(name: str, password: str) -> Settings:
        return Settings.model_validate(
            {
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_username": name,
                "sasl_password": password,
            }
        )

    with KafkaCluster(folder, properties=secured) as cluster:
        settings = signed_in("firebreak", 'let "me" in')
        apply_topics(settings, cluster.bootstrap, partitions=1)
        produce(settings, cluster.bootstrap, topics.TAKEDOWNS, [b"stop"])
        other = Producer(
            librdkafka_config(signed_in("other", "me too"), cluster.bootstrap) | PRODUCER
        )
        refused: list[KafkaError | None] = []
        other.produce(topics.TAKEDOWNS, b"go on", on_delivery=lambda err, _: refused.append(err))
        assert other.flush(LIMIT_SECONDS) == 0
        assert [error and error.code() for error in refused] == [
            KafkaError.TOPIC_AUTHORIZATION_FAILED
        ]
        inside = AdminClient({"bootstrap.servers": cluster.brokers_bootstrap})
        assert topics.TAKEDOWNS in inside.list_topics(timeout=LIMIT_SECONDS).topics


@pytest.mark.e2e
def test_a_broker_that_does_not_come_up_is_told_with_its_log(folder: Path) -> None:
    """And nothing of it stays."""
    cluster = KafkaCluster(folder, properties=lambda _: {"num.io.threads": "none"})
    with pytest.raises(ClusterNotStarted, match=r"num\.io\.threads"):
        cluster.start()
    assert cluster.pids == {}
    assert not (folder).exists()


@pytest.mark.e2e
def test_brokers_end_with_a_process_that_was_killed(folder: Path) -> None:
    """The command prints what clients need, and its death is theirs."""
    with running_command(folder) as (command, bootstrap):
        open_admin(Settings(), bootstrap)
        (broker,) = psutil.Process(command.pid).children()
        command.kill()
        wait_until(lambda: not broker.is_running(), LIMIT_SECONDS)
    assert folder.exists()


@pytest.mark.e2e
def test_the_command_ends_cleanly_when_it_is_told_to(folder: Path) -> None:
    """No broker and no folder is left, and it exits with 0."""
    with running_command(folder) as (command, _):
        (broker,) = psutil.Process(command.pid).children()
        command.send_signal(signal.SIGTERM)
        assert command.wait(LIMIT_SECONDS) == 0
        assert not broker.is_running()
    assert not (folder).exists()


def test_a_folder_that_holds_something_is_left_alone(folder: Path) -> None:
    """The cluster would remove it at the end."""
    folder.mkdir()
    (folder / "mine").touch()
    cluster = KafkaCluster(folder)
    with pytest.raises(ClusterNotStarted, match="not empty"):
        cluster.start()
    cluster.stop()
    assert (folder / "mine").exists()


def test_a_cluster_is_started_on_the_main_thread_alone(folder: Path) -> None:
    """The kernel would end the brokers with the thread."""
    raised: list[BaseException] = []

    def start() -> None:
        try:
            KafkaCluster(folder).start()
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert [str(error) for error in raised] == ["a broker has to be started on the main thread"]
    assert not (folder).exists()


def test_without_java_there_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where Java was looked for."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert str(tmp_path) in (kafka_missing() or "")


def test_values_of_several_lines_and_with_backslashes_stay_whole() -> None:
    """As Java reads a properties file: PEM certificates and passwords are such values."""
    text = properties_text({"key": "-----BEGIN\nabc\\n\n", "other": " spaced"})
    assert text == "key=-----BEGIN\\nabc\\\\n\\n\nother=\\ spaced\n"


@contextmanager
def running_command(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``python -m deploy.kafka`` and the bootstrap servers that it printed."""
    command = subprocess.Popen(
        [sys.executable, "-m", "deploy.kafka", "--folder", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with command:  # waits for it, and closes the pipe
        try:
            assert command.stdout is not None
            line = command.stdout.readline()
            found = re.fullmatch(r"FIREBREAK_BOOTSTRAP_SERVERS=(\S+)\n", line)
            assert found is not None, line
            yield command, found[1]
        finally:
            command.kill()


def produce(settings: Settings, bootstrap: str, topic: str, values: list[bytes]) -> None:
    """Produce as Firebreak's producers do, and see each record acknowledged."""
    failed: list[str] = []
    producer = Producer(librdkafka_config(settings, bootstrap) | PRODUCER)

    def report(error: KafkaError | None, _: object) -> None:
        if error is not None:
            failed.append(str(error))

    for value in values:
        producer.produce(topic, value, on_delivery=report)
    assert producer.flush(LIMIT_SECONDS) == 0
    assert failed == []


def read_back(settings: Settings, bootstrap: str, topic: str, count: int) -> list[bytes]:
    """The values of the topic's ``count`` records, partition by partition as they come."""
    config = librdkafka_config(settings, bootstrap) | {
        "group.id": "test",
        "auto.offset.reset": "earliest",
        "fetch.message.max.bytes": largest_record(settings),
    }
    values: list[bytes] = []
    with closing(Consumer(config)) as consumer:
        partitions = consumer.list_topics(topic, timeout=LIMIT_SECONDS).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])

        def read() -> bool:
            for message in consumer.consume(100, timeout=0.2):
                value = message.value()
                if message.error() is None and value is not None:
                    values.append(value)
            return len(values) >= count

        wait_until(read, LIMIT_SECONDS, about=lambda: values)
    return values


def in_sync(admin: AdminClient, topic: str) -> list[set[int]]:
    """The brokers that have all records of each partition."""
    partitions = admin.list_topics(topic, timeout=LIMIT_SECONDS).topics[topic].partitions
    return [set(partition.isrs) for _, partition in sorted(partitions.items())]
