"""Which streams take part in a trial."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.rollout import in_share

SHARES = st.floats(0, 1)


@given(st.text(), SHARES, SHARES)
def test_what_is_in_a_share_is_in_every_larger_one(key: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert in_share(key, small) <= in_share(key, large)
    assert not in_share(key, 0.0)
    assert in_share(key, 1.0)


def test_the_place_of_a_key_is_that_of_its_digest() -> None:
    # SHA-256 of "abc" begins with ba7816bf8f01cfea.
    place = 0xBA7816BF8F01CFEA / 2**64
    assert not in_share("abc", place - 1e-9)
    assert in_share("abc", place + 1e-9)
