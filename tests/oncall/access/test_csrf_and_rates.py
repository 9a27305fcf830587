"""Proofs that requests come from our own pages; and how many requests anybody may make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.oncall.access.csrf import Origin, proof, proves, told_origin
from agents.oncall.access.rates import Rate, Rates, address_key
from tests.builders import SECOND

NEW, OLD = b"n" * 32, b"o" * 32
HOSTS = ["oncall.example", "10.0.0.7:6066"]


@given(st.text(), st.text())
def test_a_proof_is_one_sessions(session: str, other: str) -> None:
    """Another session's pages prove nothing."""
    assert proves(proof([NEW], session), [NEW], session)
    assert proves(proof([NEW], other), [NEW], session) is (session == other)


@given(st.text())
def test_what_somebody_made_up_proves_nothing(given_: str) -> None:
    """Nor does nothing at all, nor what is no text."""
    for forged in (given_, "", "\udcff", proof([OLD], "session-1")):
        assert not proves(forged, [NEW], "session-1")


def test_pages_from_before_a_new_key_still_prove() -> None:
    """Forms that were open while the key was changed can be sent."""
    assert proves(proof([OLD], "session-1"), [NEW, OLD], "session-1")


@pytest.mark.parametrize(
    ("fetch_site", "origin", "told"),
    [
        ("same-origin", None, Origin.OURS),
        ("none", None, Origin.OURS),
        ("same-origin", "https://evil.example", Origin.OURS),  # no page can make it say that
        ("same-site", "https://oncall.example", Origin.FOREIGN),
        ("cross-site", "https://oncall.example", Origin.FOREIGN),
        ("whatever", None, Origin.FOREIGN),
        (None, "https://oncall.example", Origin.OURS),
        (None, "http://10.0.0.7:6066", Origin.OURS),
        (None, "http://10.0.0.7", Origin.FOREIGN),
        (None, "https://oncall.example.evil.example", Origin.FOREIGN),
        (None, "https://oncall.example@evil.example", Origin.FOREIGN),
        (None, "null", Origin.FOREIGN),
        (None, "", Origin.FOREIGN),
        (None, "http://[", Origin.FOREIGN),
        (None, None, Origin.UNTOLD),
    ],
)
def test_browsers_say_where_a_request_comes_from(
    fetch_site: str | None, origin: str | None, told: Origin
) -> None:
    """The newer header decides where it is there; a sibling site is another site."""
    assert told_origin(fetch_site, origin, HOSTS) is told


def test_so_many_at_once_and_then_so_many_a_minute() -> None:
    """
    0 s    three at once, the fourth is refused and has to wait a second
    1 s    one more
    60 s   three again, no more than at the beginning
    """
    rates = Rates(Rate(per_minute=60, at_once=3))
    assert [rates.take("op-7", 0) for _ in range(4)] == [0, 0, 0, 1.0]
    assert rates.take("op-7", SECOND // 2) == pytest.approx(0.5)
    assert [rates.take("op-7", SECOND) for _ in range(2)] == [0, 1.0]
    assert [rates.take("op-7", 60 * SECOND) > 0 for _ in range(4)] == [False, False, False, True]


def test_one_callers_requests_are_not_anothers() -> None:
    """Who is refused takes nothing from others."""
    rates = Rates(Rate(60, 1))
    assert rates.take("a", 0) == 0
    assert rates.take("a", 0) > 0
    assert rates.take("b", 0) == 0


@given(
    st.integers(1, 10),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(-2 * SECOND, 5 * SECOND))),
)
def test_never_more_than_the_rate(at_once: int, calls: list[tuple[str, int]]) -> None:
    """Whenever they come, and whatever the clock does, going back included."""
    rates, now, latest = Rates(Rate(30, at_once)), 100 * SECOND, 100 * SECOND
    let_in = dict.fromkeys("abc", 0)
    forward = 0
    for who, passing in calls:
        now += passing
        forward += max(passing, 0)
        latest = max(latest, now)
        let_in[who] += rates.take(who, now) == 0
    for count in let_in.values():
        assert count <= at_once + forward / SECOND * 30 / 60 + 1e-6


def test_callers_are_bounded() -> None:
    """Whoever came longest ago is forgotten."""
    rates = Rates(Rate(60, 1), limit=100)
    for number in range(1000):
        rates.take(str(number), 0)
    assert len(rates) == 100
    assert rates.take("999", 0) > 0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", "no address"),
        ("unix", "no address"),
    ],
)
def test_an_address_of_many_counts_as_one(address: str, key: str) -> None:
    """A subscriber of IPv6 has a network to choose addresses from."""
    assert address_key(address) == key
