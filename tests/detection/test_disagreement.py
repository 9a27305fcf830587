"""Two bundles disagree where a signal is on for one of them only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from agents.dead_letters import Coordinates
from agents.detection.batching import Judged
from agents.detection.disagreement import disagreements
from agents.detection.manifest import Manifest, parse_manifest
from agents.publishing import Outgoing
from schemas import BundlesDisagreed, FrameRef, topics
from tests.builders import START, frame_sampled
from tests.detection.tiny_bundle import MANIFEST
from tests.shell import record

SOURCE = Coordinates(topics.FRAME_SAMPLES, 3, 17, START, b"stream-1", record())
TINY = parse_manifest(
    MANIFEST.format(
        files=f'"model.onnx" = "{"0" * 64}"',
        models='[[models]]\nfile = "model.onnx"\nprecision = "float32"',
    ).encode()
)
FIREARM, GREENNESS = TINY.signals


@dataclass(frozen=True)
class Told:
    """A ``Model`` with nothing behind it."""

    label: str
    manifest: Manifest = TINY

    @property
    def digest(self) -> str:
        return f"digest of {self.label}"

    @property
    def signal_names(self) -> list[str]:
        return [signal.name for signal in self.manifest.signals]


def compare(
    scores: list[float], shadow_scores: list[float], shadow: Manifest = TINY, **frame: Any
) -> list[Outgoing]:
    """Signals of the tiny bundle: firearm, on from 0.2, and greenness, on from 0.5."""
    judged = Judged(frame_sampled(**frame), SOURCE, Told("live/1"), scores)
    return disagreements(judged, Told("tried/2", shadow), shadow_scores)


@pytest.mark.parametrize(
    ("scores", "shadow_scores", "signals"),
    [
        ([0.1, 0.1], [0.19, 0.49], []),
        ([0.1, 0.1], [0.2, 0.1], ["firearm"]),
        ([0.2, 0.1], [0.1, 0.1], ["firearm"]),
        ([0.2, 0.5], [0.9, 0.9], []),
        ([0.1, 0.9], [0.9, 0.1], ["firearm", "greenness"]),
    ],
)
def test_a_score_at_its_threshold_is_on(
    scores: list[float], shadow_scores: list[float], signals: list[str]
) -> None:
    events = [outgoing.event for outgoing in compare(scores, shadow_scores)]
    assert [event.signal for event in events if isinstance(event, BundlesDisagreed)] == signals


def test_each_bundle_is_held_against_its_own_threshold() -> None:
    strict = replace(TINY, signals=(replace(FIREARM, threshold=0.8), GREENNESS))
    assert len(compare([0.5, 0.1], [0.5, 0.1], strict)) == 1
    assert compare([0.1, 0.1], [0.5, 0.1], strict) == []


def test_a_signal_that_one_of_them_has_not_is_not_compared() -> None:
    other = replace(TINY, signals=(FIREARM, replace(GREENNESS, name="fictional")))
    assert compare([0.9, 0.9], [0.9, 0.1], other) == []


def test_an_event_says_who_said_what_of_which_frame() -> None:
    (outgoing,) = compare([0.1, 0.1], [0.9, 0.1], session_id="session-9", drill=True)
    assert outgoing.event == BundlesDisagreed(
        disagreement_id=outgoing.id,
        stream_id="stream-1",
        session_id="session-9",
        frame=FrameRef(topics.FRAME_SAMPLES, 3, 17, START, 0.1),
        signal="firearm",
        bundle="live/1",
        bundle_digest="digest of live/1",
        score=0.1,
        threshold=0.2,
        shadow_bundle="tried/2",
        shadow_digest="digest of tried/2",
        shadow_score=0.9,
        shadow_threshold=0.2,
        drill=True,
    )
    assert (outgoing.key, outgoing.time, outgoing.cause_traceparent) == (
        b"stream-1",
        START,
        "trace",
    )


def test_a_replay_gives_the_same_id_and_another_signal_another() -> None:
    firearm, greenness = compare([0.1, 0.1], [0.9, 0.9])
    (again,) = compare([0.1, 0.1], [0.8, 0.1])
    assert firearm.id == again.id != greenness.id
