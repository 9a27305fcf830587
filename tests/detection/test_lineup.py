"""Line-ups: what the file says, and which streams the canary judges."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.detection.lineup import LineUp, LineUpInvalid, Part, in_canary, parse_line_up

HERE = Path("/etc/firebreak")
WHOLE = b"""
live = "bundles/now"
[canary]
bundle = "/srv/next"
share = 0.05
[shadow]
bundle = "../tried"
"""


def test_paths_are_relative_to_the_file_unless_they_are_absolute() -> None:
    assert parse_line_up(WHOLE, HERE) == LineUp(
        {
            Part.LIVE: HERE / "bundles/now",
            Part.CANARY: Path("/srv/next"),
            Part.SHADOW: HERE / "../tried",
        },
        share=0.05,
    )


def test_a_live_bundle_is_enough() -> None:
    assert parse_line_up(b'live = "now"', HERE) == LineUp({Part.LIVE: HERE / "now"})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'live = "bundles/now"', b"", "missing required field `live`"),
        (b'"bundles/now"', b"7", "live: Expected `str`, got `int`"),
        (b'"bundles/now"', b'""', "live: Expected `str` of length >= 1"),
        (b"share = 0.05", b"", "canary: Object missing required field `share`"),
        (b"share = 0.05", b"share = 1.5", "canary.share: Expected `float` <= 1.0"),
        (b"share = 0.05", b"share = nan", "canary.share: Expected"),
        (b"share = 0.05", b"share = -0.1", "canary.share: Expected `float` >= 0.0"),
        (b'bundle = "../tried"', b"", "shadow: Object missing required field `bundle`"),
        (b"[shadow]", b"[shade]", "unknown field `shade`"),
        (b"[shadow]", b"[shadow", "not TOML"),
    ],
)
def test_an_error_names_the_field(old: bytes, new: bytes, said: str) -> None:
    with pytest.raises(LineUpInvalid) as caught:
        parse_line_up(WHOLE.replace(old, new), HERE)
    assert said in str(caught.value)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.floats(0, 1), st.floats(0, 1))
def test_a_share_that_grows_only_adds_streams(stream_id: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert in_canary(stream_id, small) <= in_canary(stream_id, large)
    assert not in_canary(stream_id, 0.0)
    assert in_canary(stream_id, 1.0)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_about_its_share_of_streams_is_the_canarys(share: float) -> None:
    streams = 20_000
    found = sum(in_canary(f"stream-{n}", share) for n in range(streams))
    assert found == pytest.approx(share * streams, rel=0.15)


def test_anybody_can_compute_which_streams_are_the_canarys() -> None:
    """By `printf stream-8 | sha256sum`, whose first 16 digits are below 0.05 of 16**16."""
    digits = sha256(b"stream-8").hexdigest()[:16]
    place = int(digits, 16) / 16**16
    assert not in_canary("stream-8", place)
    assert in_canary("stream-8", place + 1e-9)
