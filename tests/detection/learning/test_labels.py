"""What labels say of frames."""

from __future__ import annotations

import pytest

from agents.detection.learning.errors import LearningFailed
from agents.detection.learning.labels import (
    THROUGHOUT,
    Label,
    Labelling,
    Span,
    parse_sidecar,
    parse_signals,
    parse_spans,
)


@pytest.mark.parametrize(
    ("label", "truths"),
    [
        (Label.DRILL, {"fictional": 0}),
        (Label.FILM, {"fictional": 1, "firearm": 0}),
        (Label.GAME, {"fictional": 1, "firearm": 0}),
        (Label.ORDINARY, {"fictional": 0, "firearm": 0}),
    ],
)
def test_a_label_implies_what_is_known_and_leaves_the_rest_unknown(
    label: Label, truths: dict[str, int]
) -> None:
    assert Labelling(label).at(1.0) == truths


def test_a_drill_shows_its_firearm_from_the_start_of_a_span_until_before_its_end() -> None:
    """Seconds: 0 ---- 2 ==== 4 ---- 6 ==== 7."""
    labelling = Labelling(Label.DRILL, (Span(2, 4), Span(6, 7)))
    truths = {at: labelling.at(at)["firearm"] for at in (0, 1.999, 2, 3.999, 4, 6.5, 7)}
    assert truths == {0: 0, 1.999: 0, 2: 1, 3.999: 1, 4: 0, 6.5: 1, 7: 0}


def test_an_operators_own_signal_goes_before_what_the_label_implies() -> None:
    signals = parse_signals(["first_person=1", "fictional=unknown"])
    assert Labelling(Label.GAME, signals=signals).at(0) == {"firearm": 0, "first_person": 1}


def test_only_a_drill_has_times_of_a_firearm() -> None:
    with pytest.raises(LearningFailed, match="film has no real firearm"):
        Labelling(Label.FILM, (THROUGHOUT,))


def test_spans_are_read_from_seconds() -> None:
    assert parse_spans(["7.25-18", "all"]) == (Span(7.25, 18), THROUGHOUT)
    assert parse_spans([]) is None


@pytest.mark.parametrize("text", ["3-3", "5-2", "-1-2", "1", "now"])
def test_a_span_that_is_none_is_told(text: str) -> None:
    with pytest.raises(LearningFailed, match="FROM-TO in seconds"):
        parse_spans([text])


@pytest.mark.parametrize("text", ["firearm", "firearm=2", "Firearm=1", "=1"])
def test_a_signals_label_that_is_none_is_told(text: str) -> None:
    with pytest.raises(LearningFailed, match="NAME=0, NAME=1 or NAME=unknown"):
        parse_signals([text])


def test_a_sidecar_says_when_its_clip_shows_a_firearm() -> None:
    text = b'title = "x"\nfirearm_from = 7.167\nfirearm_to = 18.833\nsha256 = "aa"'
    assert parse_sidecar("clip.toml", text, "aa") == (Span(7.167, 18.833),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"firearm_from = 1", "clip.toml: .*firearm_to"),
        (b"firearm_from = 2\nfirearm_to = 1", "clip.toml: firearm_to is not after firearm_from"),
        (b'firearm_from = 1\nfirearm_to = 2\nsha256 = "bb"', "clip.toml: sha256 is another clip's"),
        (b"firearm_from", "clip.toml: "),
    ],
)
def test_a_sidecar_that_cannot_be_meant_is_told(text: bytes, told: str) -> None:
    with pytest.raises(LearningFailed, match=told):
        parse_sidecar("clip.toml", text, "aa")
