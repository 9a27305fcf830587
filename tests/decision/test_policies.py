"""Line-ups: which policies are in force, and which of them decides about a stream."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from agents.decision.defaults import DEFAULT_POLICY_FILE, default_policy
from agents.decision.policies import LineUp, Policies, parse_file
from agents.decision.policy_file import PolicyInvalid
from agents.rollout import in_share

LIVE = default_policy()
CANARY = replace(LIVE, version="4")
STREAMS = [f"stream-{number}" for number in range(4000)]


def test_a_policy_decides_about_every_stream_where_there_is_no_canary() -> None:
    assert {Policies(LIVE, share=1.0).of(stream).label for stream in STREAMS} == {LIVE.label}


def test_the_canary_decides_about_its_share() -> None:
    policies = Policies(LIVE, CANARY, 0.1)
    found = sum(policies.of(stream) is CANARY for stream in STREAMS) / len(STREAMS)
    assert found == pytest.approx(0.1, abs=0.02)
    assert all(Policies(LIVE, CANARY, 0.0).of(stream) is LIVE for stream in STREAMS)
    assert all(Policies(LIVE, CANARY, 1.0).of(stream) is CANARY for stream in STREAMS)


def test_a_share_that_grows_only_adds_streams() -> None:
    small, large = Policies(LIVE, CANARY, 0.1), Policies(LIVE, CANARY, 0.3)
    in_small = {stream for stream in STREAMS if small.of(stream) is CANARY}
    assert in_small < {stream for stream in STREAMS if large.of(stream) is CANARY}


def test_the_trial_of_a_policy_is_drawn_apart_from_that_of_a_bundle() -> None:
    policies = Policies(LIVE, CANARY, 0.5)
    of_bundle = {stream for stream in STREAMS if in_share(stream, 0.5)}
    both = sum(policies.of(stream) is CANARY for stream in of_bundle) / len(of_bundle)
    assert both == pytest.approx(0.5, abs=0.05)


def test_a_file_is_a_policy_or_a_line_up() -> None:
    assert parse_file(DEFAULT_POLICY_FILE.read_text()) == LIVE
    assert parse_file('live = "a.toml"') == LineUp("a.toml")
    assert parse_file(
        'live = "a.toml"\n[canary]\npolicy = "b.toml"\nshare = 0.05\n[shadow]\npolicy = "c.toml"\n'
    ) == LineUp("a.toml", "b.toml", 0.05, "c.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("live = 1", "line 1: live: expected the path of a policy's file, found 1"),
        ('live = ""', "line 1: live: expected the path of a policy's file, found ''"),
        ('live = "a"\n[canary]\npolicy = "b"\n', "line 2: canary: 'share' is missing"),
        (
            'live = "a"\n[canary]\npolicy = "b"\nshare = 5\n',
            "line 4: canary.share: expected a number 0 to 1, found 5",
        ),
        (
            'live = "a"\n[shadows]\npolicy = "b"\n',
            "line 2: shadows: unknown key, did you mean 'shadow'?",
        ),
    ],
)
def test_a_wrong_line_up_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        parse_file(text)
    assert str(caught.value) == message
