"""A corpus as it grows: what is kept, what is refused, and that nothing is ever half done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.detection.learning.adding import Added, Sampled, open_for_adding
from agents.detection.learning.corpus import FRAMES, SOURCES, open_corpus
from agents.detection.learning.errors import LearningFailed
from agents.detection.learning.labels import Label, Labelling, Span

from .footage import RED, add, clip_of, coloured_corpus, files_of, picture, sampled


def test_frames_are_kept_with_their_labels_and_where_they_are_from(tmp_path: Path) -> None:
    clip = replace(clip_of("range", Label.DRILL), labelling=Labelling(Label.DRILL, (Span(0.5, 9),)))
    assert add(tmp_path, clip, [picture(1), picture(2)]) == Added(kept=2)
    corpus = open_corpus(tmp_path)
    assert [(frame.at, frame.signals) for frame in corpus.frames] == [
        (0.0, {"fictional": 0, "firearm": 0}),
        (0.5, {"fictional": 0, "firearm": 1}),
    ]
    assert corpus.read(corpus.frames[0]) == picture(1)
    assert corpus.sources["range"].licence == "CC0-1.0"
    assert corpus.sources["range"].originals == (clip.original,)


def test_adding_the_same_again_changes_no_byte(tmp_path: Path) -> None:
    coloured_corpus(tmp_path, {"a": Label.GAME, "b": Label.ORDINARY})
    before = files_of(tmp_path)
    coloured_corpus(tmp_path, {"a": Label.GAME, "b": Label.ORDINARY})
    assert files_of(tmp_path) == before


def test_a_clip_added_with_another_label_gets_that(tmp_path: Path) -> None:
    add(tmp_path, clip_of("a", Label.ORDINARY, file="1"), [picture(1)])
    add(tmp_path, clip_of("a", Label.ORDINARY, file="2"), [picture(2)])
    add(tmp_path, clip_of("a", Label.GAME, file="1"), [picture(1)])
    assert [frame.label for frame in open_corpus(tmp_path).frames] == ["game", "ordinary"]


def test_a_picture_encoded_anew_is_kept_once(tmp_path: Path) -> None:
    twice = [picture(1), picture(1, quality=30), picture(2)]
    assert add(tmp_path, clip_of("a"), twice) == Added(kept=2, alike=1)


def test_a_picture_of_another_source_is_refused_from_the_later_one(tmp_path: Path) -> None:
    add(tmp_path, clip_of("a"), [picture(1)])
    added = add(tmp_path, clip_of("b", file="b"), [picture(1, quality=30), picture(2)])
    assert added == Added(kept=1, foreign=1)
    assert [frame.source for frame in open_corpus(tmp_path).frames] == ["a", "b"]


def test_a_source_of_which_nothing_is_kept_is_not_listed(tmp_path: Path) -> None:
    add(tmp_path, clip_of("a"), [picture(1)])
    add(tmp_path, clip_of("b", file="b"), [picture(1)])
    assert set(open_corpus(tmp_path).sources) == {"a"}


def test_a_clip_that_breaks_off_leaves_the_corpus_as_it_was(tmp_path: Path) -> None:
    add(tmp_path, clip_of("a"), [picture(1)])
    lists = {name: (tmp_path / name).read_bytes() for name in (SOURCES, FRAMES)}

    def broken() -> Iterator[Sampled]:
        yield from sampled([picture(2)])
        raise OSError("cut off")

    with pytest.raises(OSError, match="cut off"), open_for_adding(tmp_path) as adding:
        adding.add(clip_of("b"), broken())
    assert {name: (tmp_path / name).read_bytes() for name in lists} == lists


def test_clips_before_one_that_breaks_off_are_in(tmp_path: Path) -> None:
    with open_for_adding(tmp_path) as adding:
        adding.add(clip_of("a"), sampled([picture(1)]))
        with pytest.raises(LearningFailed, match="source 'no/name'"):
            adding.add(clip_of("no/name"), sampled([picture(2)]))
    assert len(open_corpus(tmp_path).frames) == 1


def test_a_corpus_killed_between_its_two_lists_is_valid_and_mended_by_adding_again(
    tmp_path: Path,
) -> None:
    """Sources are written first: with an old list of frames beside, one has no frames yet."""
    coloured_corpus(tmp_path, {"a": Label.GAME})
    frames = (tmp_path / FRAMES).read_bytes()
    coloured_corpus(tmp_path, {"a": Label.GAME, "b": Label.ORDINARY})
    whole = files_of(tmp_path)
    (tmp_path / FRAMES).write_bytes(frames)
    assert {frame.source for frame in open_corpus(tmp_path).frames} == {"a"}
    coloured_corpus(tmp_path, {"a": Label.GAME, "b": Label.ORDINARY})
    assert files_of(tmp_path) == whole


def test_two_cannot_add_at_a_time(tmp_path: Path) -> None:
    with (
        open_for_adding(tmp_path),
        pytest.raises(LearningFailed, match="being added to it already"),
        open_for_adding(tmp_path),
    ):
        pass


def test_a_source_keeps_its_licence(tmp_path: Path) -> None:
    add(tmp_path, clip_of("a"), [picture(1)])
    with pytest.raises(LearningFailed, match=r"'a' .*licence 'CC0-1.0', not 'GPL-2.0'"):
        add(tmp_path, clip_of("a", licence="GPL-2.0"), [picture(2)])


@pytest.mark.parametrize("licence", ["", "  "])
def test_a_source_without_a_licence_is_refused(tmp_path: Path, licence: str) -> None:
    with pytest.raises(LearningFailed, match="its licence is not said"):
        add(tmp_path, clip_of("a", licence=licence), [picture(1)])


def test_the_digest_follows_frames_and_labels_and_not_the_order_of_adding(tmp_path: Path) -> None:
    for folder, order in (("x", ("a", "b")), ("y", ("b", "a"))):
        for source in order:
            label = Label.GAME if source == "a" else Label.ORDINARY
            add(tmp_path / folder, clip_of(source, label), [picture(len(order) + ord(source))])
    one, other = open_corpus(tmp_path / "x"), open_corpus(tmp_path / "y")
    assert one.frames != other.frames
    assert one.digest == other.digest
    add(tmp_path / "y", clip_of("a", Label.FILM), [picture(2 + ord("a"))])
    assert open_corpus(tmp_path / "y").digest != one.digest


def test_a_folder_without_frames_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(LearningFailed, match=r"no corpus: it has no frames\.jsonl"):
        open_corpus(tmp_path)


def test_a_line_that_is_no_frame_is_told_by_its_number(tmp_path: Path) -> None:
    add(tmp_path, clip_of("a"), [picture(1)])
    with (tmp_path / FRAMES).open("a") as lines:
        lines.write('{"file": "x"}\n')
    with pytest.raises(LearningFailed, match=r"frames.jsonl, line 2: .*sha256"):
        open_corpus(tmp_path)


def test_a_frame_that_was_changed_is_not_read(tmp_path: Path) -> None:
    add(tmp_path, clip_of("a"), [picture(1)])
    corpus = open_corpus(tmp_path)
    (tmp_path / corpus.frames[0].file).write_bytes(picture(1, RED))
    with pytest.raises(LearningFailed, match="its SHA-256 differs"):
        corpus.read(corpus.frames[0])
