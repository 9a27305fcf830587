"""Restarts after a takedown: of the same stream, or of the same account."""

from __future__ import annotations

import pytest

from agents.decision.controls import Controls, Former
from schemas import Event

from .events import reversal, takedown
from .timeline import MINUTE, at

HOURS = 60 * MINUTE


def controls(*events: Event) -> Controls:
    made = Controls()
    for event in events:
        made.apply(event)
    return made


MADE = takedown(0, "stream-1", session_id="session-1", account_id="account-1")
FORMER = Former("incident-of-stream-1", "takedown-of-stream-1", "stream-1", at(0))


@pytest.mark.parametrize(
    ("stream", "account", "session", "found"),
    [
        ("stream-1", "", "session-2", True),
        ("stream-1", "account-2", "session-2", True),
        ("stream-2", "account-1", "session-2", True),
        ("stream-2", "account-1", "session-1", True),
        ("stream-1", "account-1", "session-1", False),
        ("stream-2", "", "session-2", False),
        ("stream-2", "account-2", "session-2", False),
    ],
    ids=[
        "restart",
        "restart-under-another-account",
        "other-stream-of-the-account",
        "other-stream-that-numbers-sessions-alike",
        "the-session-itself",
        "nothing-known-in-common",
        "other-account",
    ],
)
def test_a_session_of_the_same_stream_or_account_comes_after_its_takedown(
    stream: str, account: str, session: str, found: bool
) -> None:
    former = controls(MADE).former(stream, account, session, at(60))
    assert former == (FORMER if found else None)


def test_accounts_that_are_not_known_have_nothing_in_common() -> None:
    made = controls(takedown(0, "stream-1", account_id=""))
    assert made.former("stream-2", "", "session-2", at(60)) is None


def test_a_takedown_is_followed_for_24_hours() -> None:
    made = controls(MADE)
    assert made.former("stream-1", "", "session-2", at(24 * HOURS - 1)) == FORMER
    assert made.former("stream-1", "", "session-2", at(24 * HOURS)) is None


@pytest.mark.parametrize("reversed_first", [False, True])
def test_a_takedown_that_a_person_took_back_is_no_word_against_anybody(
    reversed_first: bool,
) -> None:
    """Takedowns and reversals are topics apart: either may be read first."""
    told = [MADE, reversal(30, "stream-1")]
    made = controls(*(reversed(told) if reversed_first else told))
    assert made.former("stream-1", "account-1", "session-2", at(60)) is None


def test_of_several_takedowns_the_newest_is_told() -> None:
    older = takedown(0, "stream-1", account_id="account-1")
    newer = takedown(9, "stream-2", account_id="account-1")
    former = controls(newer, older).former("stream-3", "account-1", "session-1", at(60))
    assert former is not None
    assert former.stream_id == "stream-2"


def test_drills_are_followed_by_drills_only() -> None:
    """A drill under somebody's account must not put their next stream before people."""
    made = controls(takedown(0, "stream-1", account_id="account-1", drill=True))
    assert made.former("stream-2", "account-1", "session-2", at(60)) is None
    assert made.former("stream-2", "account-1", "session-2", at(60), drill=True) is not None


def test_memory_is_bounded_and_the_newest_are_kept() -> None:
    made = Controls()
    for number in range(10_001):
        made.apply(takedown(number / 10, f"stream-{number}", account_id="account-1"))
    now = at(2_000)
    assert made.former("stream-0", "", "session-2", now) is None
    assert made.former("stream-1", "", "session-2", now) is not None
    former = made.former("", "account-1", "session-2", now)
    assert former is not None
    assert former.stream_id == "stream-10000"
