"""What a person fills in for an order."""

from __future__ import annotations

from uuid import uuid1, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.decision.commands import read_scope
from agents.oncall.forms import (
    LASTING,
    Filled,
    is_order_id,
    is_scope,
    offered,
    read,
    read_lasting,
    say_lasting,
)
from agents.oncall.orders import ORDERS
from schemas import MICROSECONDS

from .events import NOW

MINUTE = 60 * MICROSECONDS
DAY = 1440 * MINUTE
LONGEST = 7 * DAY
ID = str(uuid4())
SUPPRESS, RELEASE, HOLD = ORDERS["suppress"], ORDERS["release"], ORDERS["hold-takedowns"]


def test_what_is_filled_in_is_read() -> None:
    """The reason without what stands around it, the time as of now."""
    form = {"order_id": ID, "reason": "  a film\r\nset ", "lasts": "2 h"}

    filled, problems = read(SUPPRESS, form, NOW, LONGEST)

    assert filled == Filled(ID, "a film\nset", NOW + 120 * MINUTE)
    assert problems == {}


@pytest.mark.parametrize(
    ("form", "field", "told"),
    [
        ({"reason": " \n "}, "reason", "Say why"),
        ({"reason": "x" * 1001}, "reason", "At most 1000"),
        ({"reason": "a\x1b[31mb"}, "reason", "can't be shown"),
        ({"order_id": "1"}, "order_id", "Open it anew"),
        ({"lasts": ""}, "lasts", "Say for how long"),
        ({"lasts": "0 h"}, "lasts", "Say for how long"),
        ({"lasts": "soon"}, "lasts", "Say for how long"),
        ({"lasts": "8 days"}, "lasts", "At most 7 days"),
    ],
)
def test_what_is_wrong_is_told_by_field(form: dict[str, str], field: str, told: str) -> None:
    """What is wrong, and where; the rest is as it should be."""
    filled, problems = read(
        SUPPRESS, {"order_id": ID, "reason": "r", "lasts": "1 h", **form}, NOW, LONGEST
    )
    assert filled is None
    assert list(problems) == [field]
    assert told in problems[field]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """Nobody mends a form in rounds."""
    _, problems = read(HOLD, {}, NOW, LONGEST)
    assert set(problems) == {"reason", "order_id", "lasts", "scope"}


def test_an_order_has_only_what_it_asks_for() -> None:
    """Fields of other orders are not carried along."""
    form = {"order_id": ID, "reason": "r", "lasts": "1 h", "scope": "all", "assignee": "tui"}
    assert read(RELEASE, form, NOW, LONGEST)[0] == Filled(ID, "r")


@pytest.mark.parametrize(("typed", "assignee"), [(" tui ", "tui"), ("", "")])
def test_an_incident_is_given_to_somebody_or_back(typed: str, assignee: str) -> None:
    """Empty is nobody; a name is one line of a bounded length."""
    form = {"order_id": ID, "reason": "r", "assignee": typed}
    filled, _ = read(ORDERS["assign"], form, NOW, LONGEST)
    assert filled is not None
    assert filled.assignee == assignee
    for wrong in ("a\nb", "x" * 101):
        _, problems = read(ORDERS["assign"], {**form, "assignee": wrong}, NOW, LONGEST)
        assert set(problems) == {"assignee"}


def test_there_is_one_breaker() -> None:
    """What is ordered of it is ordered of all, whatever the form says."""
    form = {"order_id": ID, "reason": "r", "scope": "region:NZ"}
    filled, _ = read(ORDERS["close-breaker"], form, NOW, LONGEST)
    assert filled is not None
    assert filled.scope == "all"


@given(st.one_of(st.text(max_size=20), st.from_regex(r"(all|region|policy)(:.{0,8})?")))
def test_a_scope_is_what_the_decision_takes_for_one(text: str) -> None:
    """No scope that would be refused gets out, and none that would be taken is refused here."""
    assert is_scope(text) == (read_scope(text) is not None)


@given(st.text(max_size=40))
def test_whatever_is_posted_is_read_or_told(text: str) -> None:
    """Never an error."""
    form = {"order_id": text, "reason": text, "lasts": text, "scope": text, "assignee": text}
    filled, problems = read(HOLD, form, NOW, LONGEST)
    assert filled is None
    assert problems


@given(st.integers(min_value=1, max_value=100_000))
def test_times_are_said_as_they_are_read(minutes: int) -> None:
    """To the minute."""
    assert read_lasting(say_lasting(minutes * MINUTE)) == minutes * MINUTE


def test_no_longer_is_offered_than_the_policy_allows() -> None:
    """An offer is never refused."""
    assert list(offered(LONGEST)) == list(LASTING)
    assert list(offered(DAY))[-1] == "1 day"


@pytest.mark.parametrize("text", ["", ID.upper(), ID[:-1], f"{{{ID}}}", str(uuid1()), "order-1"])
def test_only_ids_that_this_view_makes_are_taken(text: str) -> None:
    """Random ones, written in one way: two spellings are not two orders."""
    assert is_order_id(ID)
    assert not is_order_id(text)
