"""Sending an operator's order, and waiting to hear what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from agents.publishing import PublishFailed, outgoing
from schemas import Codec, CommandAnswered, EventUnreadable, OperatorCommanded, topics

from .errors import OperatorError
from .publisher import KafkaPublisher
from .reading import messages

_REQUEST_SECONDS = 10.0
_SEND_SECONDS = 10.0


class OrderNotSent(OperatorError):
    """Kafka did not take the order: start it, create the topic or grant access to it."""


class OrderUnanswered(OperatorError):
    """The order was sent, and what became of it is not known: see whether a worker runs."""


def send(config: Mapping[str, Any], codec: Codec, command: OperatorCommanded) -> None:
    """Return once the brokers have ``command``. ``config`` is librdkafka's.

    Raises ``OrderNotSent``.
    """
    timed = {**config, "message.timeout.ms": round(_SEND_SECONDS * 1000)}
    publisher = KafkaPublisher(timed, codec, "firebreak/override")
    try:
        asyncio.run(publisher.publish([outgoing(command, None)]))
    except PublishFailed as error:
        raise OrderNotSent(f"nothing was ordered: {error}") from error
    finally:
        publisher.close()


def send_and_wait(
    config: Mapping[str, Any], codec: Codec, command: OperatorCommanded, seconds: float
) -> CommandAnswered:
    """What became of ``command``, once a worker has answered.

    Raises ``OrderNotSent``, and ``OrderUnanswered`` after ``seconds``.
    """
    consumer = Consumer(
        {
            **config,
            # Required by librdkafka even where partitions are assigned by hand.
            "group.id": "firebreak-override",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    with closing(consumer):
        try:
            # Where answers end now: this one comes behind.
            consumer.assign(_ends(consumer))
        except KafkaException as error:
            raise OrderNotSent(f"nothing was ordered: {error.args[0].str()}") from error
        send(config, codec, command)
        try:
            answer = _answer(consumer, codec, command.command_id, seconds)
        except KafkaException as error:
            raise OrderUnanswered(_unanswered(command, error.args[0].str())) from error
    if answer is None:
        raise OrderUnanswered(_unanswered(command, f"no worker answered within {seconds:g} s"))
    return answer


def _answer(
    consumer: Consumer, codec: Codec, command_id: str, seconds: float
) -> CommandAnswered | None:
    for message in messages(consumer, seconds):
        try:
            answer = codec.decode(message.value() or b"", CommandAnswered)
        except EventUnreadable:
            # Not ours: what wrote this does not know the schema that our answer will have.
            continue
        if answer.command_id == command_id:
            return answer
    return None


def _unanswered(command: OperatorCommanded, why: str) -> str:
    return f"order {command.command_id} was sent, and it is not known whether it took effect: {why}"


def _ends(consumer: Consumer) -> list[TopicPartition]:
    # All topics: to ask for one by name creates it on brokers that create them on demand.
    found = consumer.list_topics(timeout=_REQUEST_SECONDS).topics.get(topics.ANSWERS)
    if found is None:
        raise OrderNotSent(
            f"nothing was ordered: there is no topic {topics.ANSWERS}, see `firebreak topics check`"
        )
    ends = []
    for number in found.partitions:
        partition = TopicPartition(topics.ANSWERS, number)
        # It raises where the brokers do not answer in time.
        _, end = consumer.get_watermark_offsets(partition, timeout=_REQUEST_SECONDS)
        ends.append(TopicPartition(topics.ANSWERS, number, end))
    return ends
