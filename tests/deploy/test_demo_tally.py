"""What the demo says of each stream, folded from what it saw."""

from __future__ import annotations

from deploy.demo.tally import Tally
from schemas import Event
from tests.builders import SECOND, START, detection, detections_made, risk_assessed, window
from tests.oncall.events import acknowledged, escalation_raised, takedown_requested


def tallied(*events: tuple[Event, int]) -> Tally:
    """``events``, each with how many seconds after the start Kafka had it."""
    tally = Tally()
    for event, seconds in events:
        tally.apply(event, START + seconds * SECOND)
    return tally


def test_a_stream_is_watched_while_its_windows_show_something() -> None:
    seen = (risk_assessed(window(10.0, 1)), 1)
    over = (risk_assessed(window(10.0, 0)), 2)

    assert tallied(seen).stream("stream-1").state == "watching"
    assert tallied(seen, over).stream("stream-1").state == "clear"


def test_a_takedown_waits_for_its_service() -> None:
    """Until it says that the stream is stopped; to have failed is no answer."""
    requested: list[tuple[Event, int]] = [(escalation_raised(), 3), (takedown_requested(), 3)]
    failed = (acknowledged(outcome="failed"), 4)

    for tally in (tallied(*requested), tallied(*requested, failed)):
        assert tally.unanswered
        assert tally.stream("stream-1").state == "taken down"
        assert tally.stream("stream-1").seconds_to_stop_wall is None


def test_the_time_to_the_stop_is_from_the_takedown_to_the_first_answer_by_kafkas_clock() -> None:
    """Whichever of the two topics was read first."""
    requested, first, again = (takedown_requested(), 3), (acknowledged(), 5), (acknowledged(), 9)

    for events in ((requested, first, again), (first, requested, again)):
        tally = tallied(*events)
        assert not tally.unanswered
        assert tally.stream("stream-1").state == "stopped"
        assert tally.stream("stream-1").seconds_to_stop_wall == 2.0


def test_a_takedown_is_timed_from_the_first_frame_with_a_firearm() -> None:
    """By the label of the clip where there is one, in event time and in Kafka's."""
    frames = detections_made(*(detection(n, 0.9 if n > 3 else 0.1) for n in range(8)))
    tally = tallied((frames, 5), (takedown_requested(requested_at=START + 4 * SECOND), 6))

    assert tally.stream("stream-1").seconds_to_takedown(None) == (2.0, 4.0)
    assert tally.stream("stream-1").seconds_to_takedown(3.2) == (0.5, 2.5)
