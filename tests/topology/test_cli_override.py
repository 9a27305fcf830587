"""Operators' orders from the command line: sent, answered, refused, or left unanswered."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from agents.publishing import Outgoing, outgoing
from schemas import MICROSECONDS, Codec, CommandAnswered, OperatorCommanded, derive_id, topics
from tests.waiting import wait_until
from topology.broker import EmbeddedBroker
from topology.cli.override import override
from topology.kafka_config import PRODUCER
from topology.override import OrderNotSent, OrderUnanswered
from topology.publisher import KafkaPublisher
from topology.settings import Settings
from topology.topic_admin import apply_topics

LIMIT = 20.0
"""Seconds within which anything here must have happened."""
SIGNED = ("--reason", "looked at it", "--operator", "operator-7")
Answer = Callable[[OperatorCommanded], list[CommandAnswered]]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(runtime_dir=tmp_path_factory.mktemp("broker"))
    with EmbeddedBroker(settings) as embedded:
        apply_topics(settings, embedded.bootstrap)
        yield embedded.bootstrap


@pytest.fixture
def stream() -> str:
    return f"stream-{uuid.uuid4()}"


def run(kafka: str, *arguments: str) -> Result:
    return CliRunner(env={"FIREBREAK_BOOTSTRAP_SERVERS": kafka}).invoke(override, arguments)


@contextmanager
def records(kafka: str) -> Iterator[Callable[[], list[Message]]]:
    """Reads on in the topic of orders, from its beginning."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "test"})
    metadata = consumer.list_topics(timeout=LIMIT).topics[topics.OPERATOR_COMMANDS]
    consumer.assign(
        [
            TopicPartition(topics.OPERATOR_COMMANDS, it, OFFSET_BEGINNING)
            for it in metadata.partitions
        ]
    )
    try:
        yield lambda: [it for it in consumer.consume(100, timeout=0.1) if it.error() is None]
    finally:
        consumer.close()


def orders(kafka: str, count: int, about: str) -> list[tuple[bytes, OperatorCommanded]]:
    """The orders about one stream or scope, with their keys, once there are so many."""
    found: list[tuple[bytes, OperatorCommanded]] = []

    def enough() -> bool:
        for message in read():
            command = Codec().decode(message.value(), OperatorCommanded)
            if command.subject == about:
                found.append((message.key() or b"", command))
        return len(found) >= count

    with records(kafka) as read:
        wait_until(enough, LIMIT)
    return found


@contextmanager
def answering(kafka: str, answer: Answer) -> Iterator[None]:
    """A worker in the small: answers every order, those too that are there already."""
    stopping = threading.Event()

    def work() -> None:
        publisher = KafkaPublisher({"bootstrap.servers": kafka, **PRODUCER}, Codec(), "test")
        with records(kafka) as read:
            while not stopping.is_set():
                for message in read():
                    command = Codec().decode(message.value(), OperatorCommanded)
                    sent: list[Outgoing] = [outgoing(it, None) for it in answer(command)]
                    asyncio.run(publisher.publish(sent))
        publisher.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stopping.set()
        worker.join(LIMIT)
    assert not worker.is_alive()


def answered(command: OperatorCommanded, **given: Any) -> CommandAnswered:
    about: dict[str, Any] = {
        "answer_id": derive_id("answer", command.command_id),
        "command_id": command.command_id,
        "command": command.command,
        "stream_id": command.stream_id,
        "session_id": "",
        "scope": command.scope,
        "incident_id": "",
        "operator": command.operator,
        "reason": command.reason,
        "answered_at": command.issued_at,
        "applied": True,
        "refusal": "",
        "state_before": "",
        "state_after": "",
    }
    return CommandAnswered(**{**about, **given})


@pytest.mark.e2e
def test_an_order_is_sent_and_what_became_of_it_is_printed(kafka: str, stream: str) -> None:
    became = {
        "session_id": "session-3",
        "incident_id": "incident-5",
        "state_before": "takedown-requested",
        "state_after": "released",
    }
    with answering(kafka, lambda command: [answered(command, **became)]):
        result = run(kafka, stream, "release", *SIGNED)

    assert result.exit_code == 0
    assert "The stream goes on" in result.stderr
    assert result.stdout == (
        f"applied: release of {stream}, session session-3  takedown-requested -> released  "
        "incident incident-5\n"
    )
    ((key, command),) = orders(kafka, 1, stream)
    assert key == stream.encode()
    assert (command.command, command.stream_id, command.scope) == ("release", stream, "")
    assert (command.operator, command.reason) == ("operator-7", "looked at it")
    assert (command.session_id, command.until) == ("", 0)


@pytest.mark.e2e
def test_an_order_about_a_scope_lapses_when_it_was_said_to(kafka: str) -> None:
    arguments = ("--scope", "region:NZ", "hold-takedowns", "--until", "2h", *SIGNED)
    with answering(kafka, lambda command: [answered(command)]):
        result = run(kafka, *arguments)

    assert result.exit_code == 0
    assert result.stdout.startswith("applied: hold-takedowns of region:NZ  until 20")
    ((key, command),) = orders(kafka, 1, "region:NZ")
    assert (key, command.stream_id) == (b"region:NZ", "")
    assert command.until - command.issued_at == 2 * 3600 * MICROSECONDS


@pytest.mark.e2e
def test_a_refused_order_says_why_and_exits_with_1(kafka: str, stream: str) -> None:
    refused = {"applied": False, "refusal": "nothing-open"}
    with answering(kafka, lambda command: [answered(command, **refused)]):
        result = run(kafka, stream, "acknowledge", *SIGNED)

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"refused: acknowledge of {stream}: nothing-open" in result.stderr


@pytest.mark.e2e
def test_answers_to_other_orders_are_not_taken_for_its_own(kafka: str, stream: str) -> None:
    def answer(command: OperatorCommanded) -> list[CommandAnswered]:
        other = answered(command, command_id="another", applied=False, refusal="no-reason")
        return [other, answered(command, state_before="clear", state_after="suppressed")]

    with answering(kafka, answer):
        result = run(kafka, stream, "suppress", "--until", "10 min", *SIGNED)

    assert result.exit_code == 0
    assert "clear -> suppressed  until 20" in result.stdout


@pytest.mark.e2e
def test_what_a_stream_is_called_can_not_write_on_the_terminal(kafka: str) -> None:
    hostile = f"\x1b[2J\n{uuid.uuid4()}"
    with answering(kafka, lambda command: [answered(command)]):
        result = run(kafka, hostile, "release", *SIGNED)

    assert result.stdout.rstrip("\n").isprintable()
    assert "release of \\x1b[2J\\n" in result.stdout


@pytest.mark.e2e
def test_an_order_that_nobody_answers_is_known_to_be_sent_and_no_more(
    kafka: str, stream: str
) -> None:
    result = run(kafka, stream, "takedown", "--timeout", "0.3", *SIGNED)

    assert isinstance(result.exception, OrderUnanswered)
    ((_, command),) = orders(kafka, 1, stream)
    assert str(result.exception) == (
        f"order {command.command_id} was sent, and it is not known whether it took effect: "
        "no worker answered within 0.3 s"
    )


@pytest.mark.e2e
def test_without_waiting_it_ends_as_soon_as_the_brokers_have_the_order(
    kafka: str, stream: str
) -> None:
    result = run(kafka, stream, "verdict-true", "--session", "session-9", "--no-wait", *SIGNED)

    ((_, command),) = orders(kafka, 1, stream)
    assert (result.exit_code, result.stdout) == (0, f"sent: order {command.command_id}\n")
    assert command.session_id == "session-9"


@pytest.mark.e2e
def test_orders_alike_are_orders_apart(kafka: str, stream: str) -> None:
    for _ in range(2):
        assert run(kafka, stream, "release", "--no-wait", *SIGNED).exit_code == 0

    assert len({command.command_id for _, command in orders(kafka, 2, stream)}) == 2


@pytest.mark.e2e
def test_where_answers_have_no_topic_nothing_is_ordered(tmp_path: Path, stream: str) -> None:
    with EmbeddedBroker(Settings(runtime_dir=tmp_path)) as empty:
        result = run(empty.bootstrap, stream, "release", *SIGNED)

    assert isinstance(result.exception, OrderNotSent)
    assert "there is no topic firebreak.answers.v1" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "the command is one of takedown, release"),
        (("s",), "not 's'"),
        (("release",), "release needs one stream before it"),
        (("", "release"), "release needs one stream before it"),
        (("s", "t", "release"), "release needs one stream before it"),
        (("s", "lift-hold"), "lift-hold is of a scope: say --scope"),
        (("--scope", "all", "release"), "release is of a stream and not of a scope"),
        (("--scope", "all", "s", "lift-hold"), "--scope is instead of a stream"),
        (("--scope", "mars", "lift-hold"), "region:XX"),
        (("--scope", "region:NZ", "close-breaker"), "close-breaker is of all"),
        (("s", "suppress"), "suppress needs --until"),
        (("--scope", "all", "hold-takedowns"), "hold-takedowns needs --until"),
        (("s", "release", "--until", "2h"), "release has no --until"),
        (("s", "suppress", "--until", "2 weeks"), "expected a duration such as"),
        (("s", "release", "--reason", " "), "it must not be empty"),
        (("s", "release", "--timeout", "0"), "--timeout"),
    ],
)
def test_an_order_that_makes_no_sense_is_a_usage_error_and_nothing_is_sent(
    arguments: tuple[str, ...], said: str
) -> None:
    """No Kafka is even looked for."""
    result = CliRunner().invoke(override, [*SIGNED, *arguments])

    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("s", "release"), "It is of stream s, whichever session it has when this is read."),
        (("s", "takedown", "--session", "session-9"), "It is of stream s, session session-9."),
        (("s", "verdict-true"), "While somebody else has the incident in hand it is refused"),
        (("s", "release"), "A person's word outranks the policy's decisions"),
        (("s", "suppress", "--until", "2h"), "It lasts until 20"),
        (("--scope", "region:NZ", "lift-hold"), "It is of the scope region:NZ."),
        (("--scope", "all", "hold-takedowns", "--until", "2h"), "Scopes do not lift each other's"),
        (("--scope", "all", "close-breaker"), "what keeps it open longest counts"),
    ],
)
def test_a_dry_run_says_what_is_known_and_looks_for_no_kafka(
    arguments: tuple[str, ...], said: str
) -> None:
    """Of what, for how long, and what it outranks."""
    env = {"FIREBREAK_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    result = CliRunner(env=env).invoke(override, [*SIGNED, *arguments, "--dry-run"])

    assert said in result.stderr
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize("missing", ["--reason", "--operator"])
def test_who_orders_and_why_has_to_be_said(missing: str) -> None:
    given = list(SIGNED)
    place = given.index(missing)
    del given[place : place + 2]

    result = CliRunner().invoke(override, ["s", "release", *given])

    assert result.exit_code == 2
    assert f"Missing option '{missing}'" in result.stderr
