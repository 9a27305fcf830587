"""The demo's takedown service, on a broker."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import Producer

from deploy.demo.takedowns import SERVICE, TakedownService
from schemas import Codec, TakedownAcknowledged, TakedownRequested, derive_id, topics
from tests.oncall.events import takedown_requested
from topology.sampler import Stops
from topology.watch import Watched, watch

pytestmark = pytest.mark.e2e
LIMIT = 30.0
"""Seconds within which anything here must have happened."""
CODEC = Codec()


@dataclass
class Platform:
    """Streams of a session of this test's own, and both ends of the service's topics."""

    bootstrap: str
    stops: Stops = field(default_factory=Stops)
    session: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self.config: dict[str, Any] = {"bootstrap.servers": self.bootstrap}

    def carries(self, stream_id: str) -> None:
        """The stream has ended already, as far as anybody waits for it."""
        self.stops.carry(stream_id, self.session).ended.set()

    def service(self, stop_within: float = LIMIT) -> TakedownService:
        return TakedownService(
            self.config,
            CODEC,
            self.stops,
            group=f"test-{self.session}",
            stop_within=stop_within,
        )

    def asks(self, takedown_id: str, stream_id: str) -> TakedownRequested:
        asked = takedown_requested(
            takedown_id=f"{takedown_id}-{self.session}",
            stream_id=stream_id,
            session_id=self.session,
            drill=True,
        )
        self.writes(CODEC.encode(asked))
        return asked

    def writes(self, value: bytes) -> None:
        producer = Producer(self.config)
        producer.produce(topics.TAKEDOWNS, value, partition=0)
        assert producer.flush(LIMIT) == 0

    def answers(self, until: Callable[[TakedownAcknowledged], bool]) -> list[TakedownAcknowledged]:
        """What was answered about this session, up to the one that ``until`` is true of."""
        found = []
        name = "acknowledgements"
        for it in watch(self.config, CODEC, name, from_beginning=True, timeout=LIMIT):
            if not isinstance(it, Watched) or not isinstance(it.event, TakedownAcknowledged):
                continue
            if it.event.session_id == self.session:
                found.append(it.event)
                if until(it.event):
                    return found
        raise AssertionError(f"answered within {LIMIT:g} s: {found}")


@pytest.fixture
def platform(topics_broker: str) -> Platform:
    return Platform(topics_broker)


def test_what_is_carried_is_stopped_and_answered_and_nothing_else(platform: Platform) -> None:
    """Past what is no takedown, and what another shard carries; a drill too, in the demo."""
    platform.carries("range")
    platform.writes(b"rubbish")
    platform.asks("t-1", "elsewhere")
    asked = platform.asks("t-2", "range")

    with platform.service():
        (answer,) = platform.answers(lambda it: it.takedown_id == asked.takedown_id)

    assert platform.stops.carry("range", platform.session).asked_to_end.is_set()
    assert (answer.outcome, answer.service, answer.stream_id) == ("stopped", SERVICE, "range")
    assert answer.acknowledgement_id == derive_id("acknowledgement", asked.takedown_id)


def test_asked_again_it_answers_the_same_again(platform: Platform) -> None:
    """A request that is repeated word for word finds nothing left to stop."""
    platform.carries("range")
    asked = platform.asks("t-1", "range")
    platform.asks("t-1", "range")
    last = platform.asks("t-2", "range")

    with platform.service():
        answers = platform.answers(lambda it: it.takedown_id == last.takedown_id)

    assert [it.takedown_id for it in answers] == [asked.takedown_id] * 2 + [last.takedown_id]
    assert answers[0].acknowledgement_id == answers[1].acknowledgement_id


def test_a_service_that_comes_back_goes_on_where_it_was(platform: Platform) -> None:
    """What was answered is committed, and what came meanwhile is not lost."""
    platform.carries("range")
    first = platform.asks("t-1", "range")
    with platform.service():
        platform.answers(lambda it: it.takedown_id == first.takedown_id)
    second = platform.asks("t-2", "range")

    with platform.service():
        answers = platform.answers(lambda it: it.takedown_id == second.takedown_id)

    assert [it.takedown_id for it in answers] == [first.takedown_id, second.takedown_id]


def test_a_stream_that_does_not_end_is_answered_as_failed(platform: Platform) -> None:
    """So that it is asked for again at once, and then put before people."""
    platform.stops.carry("stuck", platform.session)
    asked = platform.asks("t-1", "stuck")

    with platform.service(stop_within=0.1):
        (answer,) = platform.answers(lambda it: it.takedown_id == asked.takedown_id)

    assert (answer.outcome, answer.detail) == ("failed", "it did not end in time")
    assert answer.acknowledgement_id != derive_id("acknowledgement", asked.takedown_id)
