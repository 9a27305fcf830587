"""``make eval``: how good a bundle is, on footage that it was not trained on.

    python -m deploy.eval [--bundle DIR] [--footage DIR] [--photos DIR] [--hours N] [--quick]

Writes ``build/eval.json``, and the same to read, with plots, as ``build/eval/report.md``. What the
bundle says of a clip is kept in ``build/eval/recordings``, so that a second run is quick.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import track

from agents.aggregation.windows import WindowSpec
from agents.decision.defaults import default_policy
from agents.detection.bundle import ModelBundle, load_bundle
from agents.detection.decode import DecodeBounds, Decoder
from agents.detection.manifest import BundleInvalid
from deploy.eval.evaluation import Options, evaluate
from deploy.eval.figures import draw_figures
from deploy.eval.footage import find_drills, find_footage, find_skipped
from deploy.eval.frames import Signals
from deploy.eval.localisation import pointing_game
from deploy.eval.photographs import PhotographsMissing, find_photographs
from deploy.eval.recorded import JudgedPhotographs, Recorded
from deploy.eval.recording import ENCODINGS, Encoding, Recorder
from deploy.eval.report import write_report
from deploy.eval.simulation import Cores
from topology.errors import OperatorError
from topology.settings import Settings, load_settings

_QUICK_HOURS = 20.0
_ATTACKS, _QUICK_ATTACKS = 500, 50
_THREADS = 2


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), help="The default one if not given.")
@click.option("--footage", type=click.Path(path_type=Path), default=Path("build/footage"))
@click.option(
    "--photos",
    type=click.Path(path_type=Path),
    default=Path("../shared/eval/firearm-photos"),
    envvar="FIREBREAK_EVAL_PHOTOS",
    show_default=True,
    help="Photographs with firearms: images/N.jpeg and boxes/N.txt.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("build"), show_default=True)
@click.option("--hours", type=float, default=1000.0, show_default=True, help="Of each kind.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--quick", is_flag=True, help=f"One encoding, and at most {_QUICK_HOURS:g} hours.")
def main(
    *,
    bundle: Path | None,
    footage: Path,
    photos: Path,
    out: Path,
    hours: float,
    seed: int,
    quick: bool,
) -> None:
    """Measure a bundle, and say how sure that is."""
    encodings = ENCODINGS[:1] if quick else ENCODINGS
    options = Options(
        encodings=[encoding.name for encoding in encodings],
        hours=min(hours, _QUICK_HOURS) if quick else hours,
        attacks=_QUICK_ATTACKS if quick else _ATTACKS,
        seed=seed,
    )
    try:
        settings = load_settings(**({"bundle": bundle} if bundle else {}))
        loaded = load_bundle(settings.bundle, settings.execution_providers, _THREADS)
        recorder = Recorder(loaded, _decoder(loaded, settings), out / "eval" / "recordings")
        recorded = _record(footage, photos, recorder, encodings)
        about = {"execution": str(loaded.execution), "skipped": find_skipped(footage)}
        _evaluate(recorded, loaded, options, about, out)
    except (OperatorError, BundleInvalid) as error:
        raise click.ClickException(str(error)) from error


def _decoder(bundle: ModelBundle, settings: Settings) -> Decoder:
    bounds = DecodeBounds(settings.max_payload_bytes, settings.max_pixels)
    return Decoder(bundle.manifest.input, bounds)


def _record(
    footage: Path, photos: Path, recorder: Recorder, encodings: Sequence[Encoding]
) -> Recorded:
    clips, drills = find_footage(footage), find_drills(footage)
    paths = [*(clip.path for clip in clips), *(drill.path for drill in drills)]
    judged = {
        path: {encoding.name: recorder.record(path, encoding) for encoding in encodings}
        for path in track(paths, "judging clips")
    }
    return Recorded(
        clips=[(clip, judged[clip.path]) for clip in clips],
        drills=[(drill, judged[drill.path]) for drill in drills],
        photographs=_judge_photographs(photos, recorder, encodings),
    )


def _judge_photographs(
    folder: Path, recorder: Recorder, encodings: Sequence[Encoding]
) -> JudgedPhotographs | str:
    try:
        found = find_photographs(folder)
    except PhotographsMissing as error:
        return str(error)
    scores = {}
    for encoding in track(encodings, "judging photographs"):
        scores[encoding.name] = recorder.record(found.images, encoding).scores
    click.echo("covering parts of the photographs, to see where the signal comes from")
    points = recorder.point(found.images, encodings[0])
    return JudgedPhotographs(scores, pointing_game(points, found.boxes))


def _evaluate(
    recorded: Recorded,
    bundle: ModelBundle,
    options: Options,
    about: Mapping[str, Any],
    out: Path,
) -> None:
    manifest = bundle.manifest
    signals = Signals(
        tuple(bundle.signal_names), tuple(signal.threshold for signal in manifest.signals)
    )
    cores = Cores(bundle.label, bundle.digest, signals.names, WindowSpec(), default_policy())
    evaluation = evaluate(recorded, cores, signals, options, track)
    found = {**about, **evaluation.found}
    report = out / "eval" / "report.md"
    figures = draw_figures(report.parent, evaluation, signals)
    report.write_text(write_report(found, figures))
    (out / "eval.json").write_text(json.dumps(found, indent=2, allow_nan=False) + "\n")
    for aim in found["aims"]:
        click.echo(f"{aim['what']}: {aim['reached']} (aim {aim['aim']})")
    click.echo(f"{out / 'eval.json'}, {report}")


if __name__ == "__main__":
    main()
