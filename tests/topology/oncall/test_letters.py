"""Dead letters' records are shown and put back as the page orders it, on a broker."""

from __future__ import annotations

import uuid
from contextlib import closing

import pytest

from agents.oncall.letters import Letter
from agents.oncall.redriving import MOST_AT_ONCE, NotPutBack, PutBack, RedriveOrder
from schemas import Codec, EventRedriven, topics
from tests.builders import START
from tests.oncall.events import dead_lettered
from tests.topology.test_redrive import Failed
from topology.incident.log import TopicLog
from topology.oncall.letters import KafkaDeadLetters


@pytest.fixture
def failed(topics_broker: str) -> Failed:
    return Failed(topics_broker)


def order(*letters: Letter) -> RedriveOrder:
    return RedriveOrder(str(uuid.uuid4()), "kea", "mended", letters)


async def test_a_letter_is_looked_at_and_put_back_once(failed: Failed) -> None:
    """With a note that names the order."""
    buried = await failed.bury(b"a frame")
    other = await failed.bury(b"another")
    letter = Letter(buried, START)
    office = KafkaDeadLetters(failed.config, Codec())

    preview = await office.preview(letter)
    assert preview.first_bytes == b"a frame".hex(" ", 4)

    ordered = order(letter)
    assert await office.put_back(ordered) == PutBack(redriven=1, gone=0, left=0)
    assert await office.put_back(ordered) == PutBack(redriven=0, gone=0, left=1)
    assert [copy.value() for copy in failed.copies()] == [b"a frame"]
    with closing(TopicLog(failed.config)) as log:
        notes = [Codec().decode(it.value(), EventRedriven) for it in log.read([topics.REDRIVES])]
    (note,) = [it for it in notes if it.dead_letter_id == buried.dead_letter_id]
    assert (note.order_id, note.operator) == (ordered.order_id, "kea")
    assert other.dead_letter_id not in {it.dead_letter_id for it in notes}


async def test_what_lies_in_no_topic_that_agents_take_is_left() -> None:
    """Nothing is put anywhere else, whatever a letter says."""
    office = KafkaDeadLetters({"bootstrap.servers": "127.0.0.1:1"}, Codec())
    elsewhere = Letter(dead_lettered(topic=topics.TAKEDOWNS), START)
    assert await office.put_back(order(elsewhere)) == PutBack(redriven=0, gone=0, left=1)


async def test_too_many_at_once_are_refused() -> None:
    office = KafkaDeadLetters({"bootstrap.servers": "127.0.0.1:1"}, Codec())
    many = [Letter(dead_lettered(), START)] * (MOST_AT_ONCE + 1)
    with pytest.raises(NotPutBack):
        await office.put_back(order(*many))
