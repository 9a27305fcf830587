"""No source is on both sides."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agents.detection.learning.corpus import Frame
from agents.detection.learning.errors import LearningFailed
from agents.detection.learning.labels import Label, Labelling
from agents.detection.learning.splitting import Split, folds, hold_out, split_sources

MANY = {f"{label}{number}": label for label in Label for number in range(8)}


def frames_of(sources: dict[str, Label]) -> list[Frame]:
    return [
        Frame("f", "0", source, label, "0", 0.0, 0, "0" * 16, Labelling(label).at(0))
        for source, label in sources.items()
    ]


def test_a_quarter_of_the_sources_of_each_label_is_held_out() -> None:
    split = split_sources(frames_of(MANY), ["fictional"], seed=0)
    assert split.training | split.held_out == set(MANY)
    assert not split.training & split.held_out
    for label in Label:
        assert sum(MANY[source] is label for source in split.held_out) == 2


def test_the_seed_and_nothing_else_decides_which_are_held_out() -> None:
    forwards = split_sources(frames_of(MANY), ["fictional"], seed=3)
    backwards = split_sources(frames_of(dict(reversed(MANY.items()))), ["fictional"], seed=3)
    assert forwards == backwards
    assert forwards != split_sources(frames_of(MANY), ["fictional"], seed=4)


@given(
    st.dictionaries(st.text(min_size=1), st.sampled_from(list(Label)), max_size=12),
    st.integers(0, 20),
)
def test_each_class_is_on_both_sides(sources: dict[str, Label], seed: int) -> None:
    frames = frames_of(sources)
    classes = [{f.source for f in frames if f.signals["fictional"] == truth} for truth in (0, 1)]
    assume(min(map(len, classes)) >= 2)
    split = split_sources(frames, ["fictional"], seed)
    for members in classes:
        assert members & split.training
        assert members & split.held_out


def test_one_source_of_a_class_is_too_few_to_split() -> None:
    sources = {"a": Label.GAME, "b": Label.ORDINARY, "c": Label.DRILL}
    with pytest.raises(LearningFailed, match=r"2 sources with frames of fictional=1 .*there is a"):
        split_sources(frames_of(sources), ["fictional"], seed=0)


def test_named_sources_are_held_out() -> None:
    sources = {"a": Label.GAME, "b": Label.FILM, "c": Label.DRILL, "d": Label.ORDINARY}
    split = hold_out(frames_of(sources), ["fictional"], ["a"])
    assert split == Split(frozenset({"b", "c", "d"}), frozenset({"a"}))
    with pytest.raises(LearningFailed, match="nothing is left to learn fictional=1 from"):
        hold_out(frames_of(sources), ["fictional"], ["a", "b"])
    with pytest.raises(LearningFailed, match="no frame is of the source 'e'"):
        hold_out(frames_of(sources), ["fictional"], ["e"])


@given(
    st.sets(st.integers(0, 12), min_size=2),
    st.sets(st.integers(0, 12), min_size=2),
    st.integers(2, 20),
)
def test_both_classes_are_in_each_fold_and_outside_it(
    positive: set[int], negative: set[int], most: int
) -> None:
    parts = folds({str(n) for n in positive}, {str(n) for n in negative}, seed=0, most=most)
    assert sorted(s for part in parts for s in part) == sorted(
        {str(n) for n in positive | negative}
    )
    for part in parts:
        for members in ({str(n) for n in positive}, {str(n) for n in negative}):
            assert members & part
            assert members - part


def test_there_are_as_many_folds_as_the_smaller_class_has_sources() -> None:
    assert len(folds({"a", "b", "c"}, {"d", "e", "f", "g"}, seed=0, most=10)) == 3
    assert len(folds({"a", "b", "c"}, {"d", "e", "f", "g"}, seed=0, most=2)) == 2


def test_a_class_of_one_source_has_no_folds() -> None:
    assert folds({"a"}, {"b", "c"}, seed=0, most=10) == []
