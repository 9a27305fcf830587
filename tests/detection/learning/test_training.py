"""From a corpus to a bundle, on a backbone whose embedding is a picture's mean colour."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from agents.detection.bundle import load_bundle
from agents.detection.learning.backbone import CPU, load_backbone
from agents.detection.learning.corpus import Corpus, open_corpus
from agents.detection.learning.errors import LearningFailed
from agents.detection.learning.evaluation import Evaluation
from agents.detection.learning.labels import Label
from agents.detection.learning.training import Plan, train

from ..tiny_bundle import tiny_model, write_bundle
from .footage import BLUE, RED, add, clip_of, coloured_corpus, files_of, picture

SOURCES = {
    **{f"game-{number}": Label.GAME for number in range(4)},
    **{f"street-{number}": Label.ORDINARY for number in range(4)},
}


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return coloured_corpus(tmp_path / "corpus", SOURCES)


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "backbone")


def trained(corpus: Corpus, backbone: Path, out: Path, plan: Plan | None = None) -> Evaluation:
    return train(corpus, load_backbone(backbone), out, plan or Plan(), lambda *_: None)


def solid(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((4, 4, 3), colour, np.uint8)


def test_a_trained_bundle_tells_new_pictures_apart_and_keeps_the_other_signals(
    corpus: Corpus, backbone: Path, tmp_path: Path
) -> None:
    trained(corpus, backbone, tmp_path / "out")
    before = load_bundle(backbone, [CPU], threads=1)
    after = load_bundle(tmp_path / "out", [CPU], threads=1)
    assert after.signal_names == ["firearm", "greenness", "fictional"]
    red, blue = after.judge([solid(RED), solid(BLUE)])
    assert red[2] > 0.9
    assert blue[2] < 0.1
    assert (red[:2] == before.judge([solid(RED)])[0]).all()


def test_the_same_corpus_and_seed_give_the_same_bytes_of_every_file(
    corpus: Corpus, backbone: Path, tmp_path: Path
) -> None:
    """Whether embeddings are new, cached or partly so, and on however many threads."""
    plan = Plan(threads=3)
    trained(corpus, backbone, tmp_path / "new")
    trained(corpus, backbone, tmp_path / "cached", plan)
    cache = sorted((corpus.folder / "embeddings").rglob("*.npy"))
    for path in cache[::2]:
        path.unlink()
    trained(corpus, backbone, tmp_path / "partly", plan)
    files = files_of(tmp_path / "new")
    assert set(files) == {"manifest.toml", "model.onnx", "MODEL_CARD.md"}
    assert files_of(tmp_path / "cached") == files
    assert files_of(tmp_path / "partly") == files


def test_the_order_of_adding_does_not_matter(
    corpus: Corpus, backbone: Path, tmp_path: Path
) -> None:
    trained(corpus, backbone, tmp_path / "new")
    lines = (corpus.folder / "frames.jsonl").read_bytes().splitlines(keepends=True)
    (corpus.folder / "frames.jsonl").write_bytes(b"".join(reversed(lines)))
    trained(open_corpus(corpus.folder), backbone, tmp_path / "reversed")
    assert files_of(tmp_path / "reversed") == files_of(tmp_path / "new")


def test_the_card_says_what_was_trained_on_and_what_was_measured_elsewhere(
    corpus: Corpus, backbone: Path, tmp_path: Path
) -> None:
    evaluation = trained(corpus, backbone, tmp_path / "out", Plan(held_out=("game-1", "street-3")))
    card = (tmp_path / "out/MODEL_CARD.md").read_text()
    before, _, after = card.partition("## Sources trained on")
    assert "| game-1 | game | fictional | has it | 12 | 12 | 1.000 |" in before
    assert "| game-2 | game | fictional | has it | 12 |" in after
    assert "game-2" not in before
    assert "What must never be concluded from the score" in before
    assert {rate.source for rate in evaluation.figures.rates} == {"game-1", "street-3"}


def test_a_frame_of_which_the_signal_is_unknown_is_not_learned_from(
    corpus: Corpus, backbone: Path, tmp_path: Path
) -> None:
    """Drills of unknown firearms don't keep ``firearm`` from being trained on the others."""
    add(corpus.folder, clip_of("drill", Label.DRILL), [picture(9000 + n) for n in range(5)])
    with pytest.raises(LearningFailed, match=r"frames of firearm=1 .*there is none"):
        trained(open_corpus(corpus.folder), backbone, tmp_path / "out", Plan(signals=("firearm",)))


def test_an_int8_alternative_gets_the_same_heads(corpus: Corpus, tmp_path: Path) -> None:
    models = {"model.int8.onnx": tiny_model(), "model.onnx": tiny_model()}
    backbone = write_bundle(tmp_path / "two", models)
    trained(corpus, backbone, tmp_path / "out")
    bundle = load_bundle(tmp_path / "out", [CPU], threads=1)
    assert bundle.execution.model_file == "model.int8.onnx"
    assert bundle.judge([solid(RED)])[0, 2] > 0.9
    assert "model.int8.onnx (int8) has the same heads" in (
        tmp_path / "out/MODEL_CARD.md"
    ).read_text(encoding="utf-8")


def test_an_alternative_without_embeddings_is_left_out_and_that_is_said(
    corpus: Corpus, tmp_path: Path
) -> None:
    models = {"model.int8.onnx": tiny_model(embedding="features"), "model.onnx": tiny_model()}
    backbone = write_bundle(tmp_path / "two", models)
    trained(corpus, backbone, tmp_path / "out")
    assert not (tmp_path / "out/model.int8.onnx").exists()
    assert "model.int8.onnx of the backbone is left out" in (
        tmp_path / "out/MODEL_CARD.md"
    ).read_text(encoding="utf-8")


def test_a_signal_of_ones_own_is_trained_and_said_to_be_one(
    tmp_path: Path, corpus: Corpus, backbone: Path
) -> None:
    lists = (corpus.folder / "frames.jsonl").read_text()
    (corpus.folder / "frames.jsonl").write_text(lists.replace('"fictional"', '"redness"'))
    trained(open_corpus(corpus.folder), backbone, tmp_path / "out", Plan(signals=("redness",)))
    bundle = load_bundle(tmp_path / "out", [CPU], threads=1)
    assert bundle.manifest.signals[-1].custom
    assert bundle.judge([solid(RED)])[0, -1] > 0.9


def test_a_trained_bundle_can_be_a_backbone_and_be_trained_anew(
    corpus: Corpus, backbone: Path, tmp_path: Path
) -> None:
    trained(corpus, backbone, tmp_path / "one")
    trained(corpus, tmp_path / "one", tmp_path / "two", Plan(name="tiny-trained"))
    one, two = (load_bundle(tmp_path / name, [CPU], threads=1) for name in ("one", "two"))
    assert two.signal_names == one.signal_names
    assert (tmp_path / "two/model.onnx").read_bytes() == (tmp_path / "one/model.onnx").read_bytes()


def test_a_bundle_that_is_there_is_not_written_over(
    corpus: Corpus, backbone: Path, tmp_path: Path
) -> None:
    trained(corpus, backbone, tmp_path / "out")
    with pytest.raises(LearningFailed, match="is there already"):
        trained(corpus, backbone, tmp_path / "out")


def test_a_training_that_fails_leaves_nothing_behind(
    corpus: Corpus, backbone: Path, tmp_path: Path
) -> None:
    shutil.rmtree(corpus.folder / "frames")
    with pytest.raises(LearningFailed, match="No such file"):
        trained(corpus, backbone, tmp_path / "new/out")
    assert not (tmp_path / "new").exists()
