"""The topology on a Kafka where nobody may do what is not granted: TLS, SCRAM, ACLs, signatures."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without __all__
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.demo.takedowns import TakedownService
from deploy.kafka.cluster import KafkaCluster
from deploy.kafka.jars import kafka_missing
from deploy.kafka.node import Node
from schemas import (
    MICROSECONDS,
    Codec,
    FrameSampled,
    TakedownAcknowledged,
    TakedownRequested,
    topics,
)
from schemas.signatures import Verifier, key_set, new_private_key
from tests.bench.job import Footage, renamed
from tests.e2e.support import READY_SECONDS, free_port_pair, get
from tests.kafka.certificates import Authority
from tests.waiting import wait_until
from topology.acl_admin import apply_grants, load_acls, read_grants
from topology.acl_plan import missing
from topology.app import Role
from topology.kafka_config import PRODUCER, librdkafka_config
from topology.reaching import reach_brokers
from topology.sampler import Mode, Stops
from topology.sampler.producer import FrameProducer
from topology.settings import Settings, load_settings
from topology.topic_admin import BrokersAway, TopicsUnreadable, apply_topics
from topology.watch import Watched, watch

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kafka,
    pytest.mark.skipif(kafka_missing() is not None, reason=str(kafka_missing())),
]
LIMIT = 60.0
ROUNDS = 4096
PRINCIPALS = ("detection", "judgement", "shard", "takedowns", "operator")
CODEC = Codec()


@dataclass(frozen=True, slots=True)
class Secured:
    """A Kafka that asks who is there, and what its clients need."""

    cluster: KafkaCluster
    folder: Path
    keys: str
    """What decisions are signed with, as it is told."""
    secrets: tuple[str, ...]
    """Passwords, and what decisions are signed with."""

    def environment(self, principal: str) -> Mapping[str, str]:
        """What a process of ``principal`` is given; its secrets are files."""
        return {
            "FIREBREAK_BOOTSTRAP_SERVERS": self.cluster.bootstrap,
            "FIREBREAK_SECURITY_PROTOCOL": "SASL_SSL",
            "FIREBREAK_SASL_MECHANISM": "SCRAM-SHA-512",
            "FIREBREAK_SASL_USERNAME": f"firebreak-{principal}",
            "FIREBREAK_SSL_CA_FILE": str(self.folder / "authority.pem"),
            "FIREBREAK_SECRETS_DIR": str(self.folder / principal),
            "FIREBREAK_RUNTIME_DIR": str(self.folder / "runtime"),
        }

    def settings(self, principal: str, **changes: object) -> Settings:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment(principal).items():
                patch.setenv(name, value)
            return load_settings(**changes)

    def config(self, principal: str, **changes: object) -> dict[str, Any]:
        return librdkafka_config(self.settings(principal, **changes), self.cluster.bootstrap)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority()
    server = authority.sign("broker")
    (folder / "authority.pem").write_text(authority.certificate)
    (folder / "strange.pem").write_text(Authority("another").certificate)
    signing_key = new_private_key()

    def properties(_: Node) -> dict[str, str]:
        clients = "listener.name.clients"
        return {
            "listener.security.protocol.map": (
                "CLIENTS:SASL_SSL,BROKERS:PLAINTEXT,CONTROLLERS:PLAINTEXT"
            ),
            f"{clients}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            f"{clients}.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            f"{clients}.ssl.keystore.type": "PEM",
            f"{clients}.ssl.keystore.certificate.chain": server.certificate,
            f"{clients}.ssl.keystore.key": server.key,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # Brokers among themselves, and this test where it administers them.
            "super.users": "User:ANONYMOUS",
        }

    with KafkaCluster(folder / "kafka", properties=properties) as cluster:
        apply_topics(Settings(), cluster.brokers_bootstrap)
        admin = AdminClient({"bootstrap.servers": cluster.brokers_bootstrap})
        for principal in PRINCIPALS:
            secrets = folder / principal
            secrets.mkdir(mode=0o700)
            (secrets / "firebreak_sasl_password").write_text(f"{principal}'s own")
            _sign_up(admin, f"firebreak-{principal}", f"{principal}'s own")
        (folder / "judgement" / "firebreak_signing_key").write_text(signing_key)
        assert [why for _, why in apply_grants(admin, load_acls()) if why] == []
        wait_until(lambda: missing(load_acls(), read_grants(admin)) == [], LIMIT)
        told = (*(f"{principal}'s own" for principal in PRINCIPALS), *_parts(signing_key))
        yield Secured(cluster, folder, key_set([signing_key]), told)


def _parts(key: str) -> list[str]:
    """Each part of ``key`` that would give something of it away."""
    return re.findall(r"[\w+/=-]{20,}", key)


def _sign_up(admin: AdminClient, name: str, password: str) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ROUNDS)
    wanted = UserScramCredentialUpsertion(name, info, password.encode())
    for answer in admin.alter_user_scram_credentials([wanted]).values():
        answer.result(LIMIT)


def frames() -> list[FrameSampled]:
    """A drill of fifteen seconds, two frames a second, that ends now."""
    armed = Footage.of(Mode.JPEG).attack[-4:]
    begin = time.time_ns() // 1000 - 15 * MICROSECONDS
    return [
        renamed(
            armed[number % 4], "drill-1", number, begin + number * MICROSECONDS // 2, drill=True
        )
        for number in range(30)
    ]


def test_an_attack_is_stopped_by_those_who_may_and_by_nothing_more(secured: Secured) -> None:
    """Frames by the shard, a signed takedown, the service's answer, a person's order; and nothing
    that a worker says gives a secret away, not even as it crashes."""
    stops, verifier = Stops(), Verifier(secured.keys)
    stops.carry("drill-1", "drill-1-session").ended.set()
    with _workers(secured) as urls:
        wait_until(lambda: all(get(f"{url}/ready").get("ready") for url in urls), READY_SECONDS * 2)
        service = TakedownService(
            secured.config("takedowns"), CODEC, stops, group="takedowns", verifier=verifier
        )
        with service, _producer(secured) as producer:
            for frame in frames():
                producer.send(frame)
            assert producer.flush(LIMIT) == 0
            takedown = _first(secured, "takedowns", verifier)
            assert isinstance(takedown, TakedownRequested)
            assert takedown.stream_id == "drill-1"
            answer = _first(secured, "acknowledgements", None)
            assert isinstance(answer, TakedownAcknowledged)
            assert answer.takedown_id == takedown.takedown_id
        order = [sys.executable, "-m", "topology", "override", "drill-1", "acknowledge"]
        told = subprocess.run(
            [*order, "--operator", "op-1", "--reason", "the drill of today"],
            env={**os.environ, **secured.environment("operator")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr
    for role in Role:
        said = (secured.folder / f"{role}.log").read_text()
        assert "Fatal Python error: Aborted" in said
        assert [secret for secret in secured.secrets if secret in said] == []


@contextmanager
def _workers(secured: Secured) -> Iterator[list[str]]:
    """A worker of each role under its own principal, and where they listen; each ends as if native
    code had crashed, which is when it has most to say."""
    running, urls = [], []
    try:
        for role in Role:
            port = free_port_pair()
            command = [sys.executable, "-m", "topology", "worker", role, "--web-port", str(port)]
            environment = {**os.environ, **secured.environment(role)}
            with (secured.folder / f"{role}.log").open("wb") as log:
                running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            urls.append(f"http://127.0.0.1:{port}")
        yield urls
    finally:
        for process in running:
            if process.poll() is None:
                resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
                process.send_signal(signal.SIGABRT)
            process.wait(LIMIT)


def _producer(secured: Secured) -> FrameProducer:
    most = Settings().max_payload_bytes
    return FrameProducer(secured.config("shard"), codec=CODEC, max_payload_bytes=most)


def _first(secured: Secured, what: str, verifier: Verifier | None) -> object:
    for found in watch(
        secured.config("operator"),
        CODEC,
        what,
        from_beginning=True,
        timeout=LIMIT,
        verifier=verifier,
    ):
        assert isinstance(found, Watched), found
        return found.event
    raise AssertionError(f"no {what} within {LIMIT:g} s")


@pytest.mark.parametrize(
    ("principal", "topic"),
    [
        ("shard", topics.TAKEDOWNS),
        ("shard", topics.DETECTIONS),
        ("shard", topics.OPERATOR_COMMANDS),
        ("takedowns", topics.TAKEDOWNS),
        ("takedowns", topics.REVERSALS),
        ("detection", topics.TAKEDOWNS),
        ("detection", topics.FRAME_SAMPLES),
        ("judgement", topics.DISAGREEMENTS),
        ("judgement", topics.SHED),
        ("operator", topics.TAKEDOWNS),
        ("operator", topics.DECISION_STATES),
    ],
)
def test_nobody_writes_what_is_not_theirs(secured: Secured, principal: str, topic: str) -> None:
    refused: list[KafkaError | None] = []
    producer = Producer(secured.config(principal) | PRODUCER)
    producer.produce(topic, b"forged", on_delivery=lambda error, _: refused.append(error))
    assert producer.flush(LIMIT) == 0
    assert [error and error.code() for error in refused] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]


@pytest.mark.parametrize(
    ("principal", "topic"),
    [
        ("shard", topics.FRAME_SAMPLES),
        ("takedowns", topics.FRAME_SAMPLES),
        ("operator", topics.FRAME_SAMPLES),
        ("detection", topics.OPERATOR_COMMANDS),
        ("takedowns", topics.ESCALATIONS),
    ],
)
def test_nobody_reads_what_is_not_theirs(secured: Secured, principal: str, topic: str) -> None:
    consumer = Consumer(secured.config(principal) | {"group.id": "takedowns"})
    refused: set[int] = set()

    def told() -> bool:
        for message in consumer.consume(10, timeout=0.2):
            error = message.error()
            assert error is not None, "a record was read"
            refused.add(error.code())
        return KafkaError.TOPIC_AUTHORIZATION_FAILED in refused

    try:
        # Who may not even see the topic is told so when it asks for it, and nothing afterwards.
        error = consumer.list_topics(topic, timeout=LIMIT).topics[topic].error
        if error is not None:
            assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
            return
        consumer.assign([TopicPartition(topic, 0, 0)])
        wait_until(told, LIMIT, about=lambda: refused)
    finally:
        consumer.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"sasl_password": "a guess"},
        {"sasl_username": "somebody"},
        {"security_protocol": "SASL_PLAINTEXT", "ssl_ca_file": None},
    ],
)
def test_nobody_comes_in_without_proof(secured: Secured, changes: dict[str, object]) -> None:
    admin = AdminClient(secured.config("judgement", **changes))
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=5)


def test_a_broker_of_another_authority_is_not_believed(secured: Secured) -> None:
    config = secured.config("judgement", ssl_ca_file=secured.folder / "strange.pem")
    with pytest.raises(KafkaException):
        AdminClient(config).list_topics(timeout=5)


@pytest.mark.parametrize("wrong", ["password", "authority"])
def test_a_worker_that_is_refused_does_not_wait_for_other_brokers(
    secured: Secured, wrong: str
) -> None:
    changes: dict[str, dict[str, object]] = {
        "password": {"sasl_password": "a guess"},
        "authority": {"ssl_ca_file": secured.folder / "strange.pem"},
    }
    settings = secured.settings("judgement", **changes[wrong])
    with pytest.raises(TopicsUnreadable) as told:
        reach_brokers(settings, secured.cluster.bootstrap)
    assert not isinstance(told.value, BrokersAway), told.value
