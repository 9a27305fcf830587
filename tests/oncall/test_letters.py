"""Which dead letters there are, and which were redriven, in whatever order that is told."""

from __future__ import annotations

from itertools import permutations

import pytest

from agents.oncall.handles import handle_of
from agents.oncall.letters import LETTERS_KEPT, OTHER, Letters, Wanted, redrivable
from schemas import Event, topics
from tests.builders import START

from .events import dead_lettered, redriven
from .folding import told


def buried(*causes: str, letters: Letters | None = None) -> Letters:
    letters = letters or Letters()
    for number, cause in enumerate(causes):
        letters.apply(dead_lettered(dead_letter_id=f"d-{number}", cause=cause), START + number)
    return letters


def ids(letters: Letters, wanted: Wanted | None = None) -> list[str]:
    return [it.event.dead_letter_id for it in letters.wanted(wanted or Wanted())]


def test_the_newest_come_first() -> None:
    assert ids(buried("a", "b", "c")) == ["d-2", "d-1", "d-0"]


def test_told_in_any_order_and_twice_a_letter_is_one_and_redriven_once() -> None:
    events: list[Event] = [
        dead_lettered(dead_letter_id="d-1"),
        dead_lettered(dead_letter_id="d-1"),
        redriven(dead_letter_id="d-1", order_id="o"),
        redriven(dead_letter_id="d-1", order_id="o"),
    ]
    for order in permutations(events):
        letters = told(order).letters
        (letter,) = letters.wanted(Wanted())
        assert letter.redriven is not None
        assert not letter.redrivable
        assert (letters.redriven, sum(letters.by_cause.values())) == (1, 1)


def test_all_are_counted_though_the_newest_are_kept() -> None:
    letters = buried(*["a"] * (LETTERS_KEPT + 5))
    assert len(letters) == LETTERS_KEPT
    assert letters.by_cause == {"a": LETTERS_KEPT + 5}
    assert letters.get("d-4") is None
    assert letters.get("d-5") is not None


def test_causes_that_nobody_knows_are_counted_together() -> None:
    letters = buried(*(f"cause-{number}" for number in range(40)))
    assert letters.by_cause[OTHER] == 8


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), 2),
        (Wanted(cause="empty-payload"), 1),
        (Wanted(topic=topics.DETECTIONS), 1),
        (Wanted(stream=handle_of("stream-1")), 1),
        (Wanted(cause="empty-payload", topic=topics.DETECTIONS), 0),
        (Wanted(stream="0" * 16), 0),
    ],
)
def test_letters_are_found_by_cause_topic_and_stream(wanted: Wanted, found: int) -> None:
    letters = Letters()
    letters.apply(dead_lettered(cause="empty-payload", topic=topics.FRAME_SAMPLES), START)
    elsewhere = {"dead_letter_id": "e", "topic": topics.DETECTIONS, "stream_id": ""}
    letters.apply(dead_lettered(**elsewhere), START)
    assert len(letters.wanted(wanted)) == found


def test_what_was_redriven_or_failed_too_often_is_not_put_back() -> None:
    letters = buried("a", "a", "a")
    letters.apply(dead_lettered(dead_letter_id="tired", attempt=3), START)
    letters.apply(redriven(dead_letter_id="d-1"), START)
    chosen = redrivable(letters.wanted(Wanted()), 10)
    assert [it.event.dead_letter_id for it in chosen] == ["d-0", "d-2"]
    assert len(redrivable(letters.wanted(Wanted()), 1)) == 1


def test_an_order_has_come_back_by_as_many_letters_as_were_put_back_for_it() -> None:
    letters = buried("a", "a", "a")
    assert letters.ordered("o") is None
    for number in (0, 1):
        letters.apply(redriven(dead_letter_id=f"d-{number}", order_id="o", reason="mended"), START)
    letters.apply(redriven(dead_letter_id="d-2"), START)
    order = letters.ordered("o")
    assert order is not None
    assert (order.letters, order.operator, order.reason) == (2, "kea", "mended")
    assert letters.ordered("") is None


def test_a_letter_is_kept_without_the_key_of_its_record() -> None:
    """It says whose stream it is."""
    letters = Letters()
    letters.apply(dead_lettered(key=b"stream-1"), START)
    assert letters.wanted(Wanted())[0].event.key == b""
