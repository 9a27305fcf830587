"""``firebreak evaluate``: a bundle measured on a corpus."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..learning import bars, told_to_operators
from ..settings import load_settings


@click.command()
@click.argument("bundle", type=click.Path(file_okay=False, path_type=Path))
@click.argument("dataset", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write it as JSON too."
)
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Folder for plots.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the intervals.")
def evaluate(
    *, bundle: Path, dataset: Path, out: Path | None, plots: Path | None, seed: int
) -> None:
    """Measure BUNDLE on DATASET, a corpus: rates source by source, with 95 % intervals."""
    providers = load_settings().execution_providers
    with told_to_operators():
        import msgspec

        from agents.detection.bundle import load_bundle
        from agents.detection.learning import evaluation
        from agents.detection.learning.corpus import open_corpus, write_whole

        from ..evaluation_report import show

        corpus = open_corpus(dataset)
        loaded = load_bundle(bundle, providers, threads=os.cpu_count() or 1)
        with bars() as on_progress:
            judged = evaluation.judge_frames(loaded, corpus, corpus.frames, on_progress)
        measured = evaluation.evaluate(loaded, corpus, judged, seed)
        show(measured)
        if out is not None:
            encoded = msgspec.json.encode(measured)
            write_whole(out, msgspec.json.format(encoded, indent=2) + b"\n")
        if plots is not None:
            from agents.detection.learning.plots import draw

            for path in draw(judged, plots):
                click.echo(path)
