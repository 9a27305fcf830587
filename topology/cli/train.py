"""``firebreak train``: heads of one's own on a frozen backbone."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..learning import bars, told_to_operators


@click.command()
@click.option(
    "--corpus",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the corpus.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder of the new bundle."
)
@click.option(
    "--backbone",
    type=click.Path(file_okay=False, path_type=Path),
    help="Bundle whose embeddings are learned on, and whose other signals are kept.  "
    "[default: the shipped one]",
)
@click.option(
    "--signal",
    "signals",
    multiple=True,
    default=("fictional",),
    show_default=True,
    help="Signal to be trained; may be repeated.",
)
@click.option(
    "--hold-out",
    "held_out",
    multiple=True,
    metavar="SOURCE",
    help="Source to measure by and not to train on; may be repeated.  [default: a quarter of the "
    "sources of each label]",
)
@click.option(
    "--fpr",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share of frames without a signal that may reach its threshold.",
)
@click.option(
    "--learn-on",
    "learned_on",
    default="emb",
    show_default=True,
    metavar="OUTPUT",
    help="Output of the backbone that heads are trained on; the shipped one has emb and texture.",
)
@click.option("--name", help="Of the bundle.  [default: the backbone's, -trained]")
@click.option("--seed", type=int, default=0, show_default=True)
def train(
    *,
    folder: Path,
    out: Path,
    backbone: Path | None,
    signals: tuple[str, ...],
    held_out: tuple[str, ...],
    fpr: float,
    learned_on: str,
    name: str | None,
    seed: int,
) -> None:
    """Fit heads on a corpus and write a bundle, with its card.

    The same corpus, backbone and seed give the same bytes of every file.
    """
    with told_to_operators():
        from agents.detection.learning.backbone import SHIPPED, load_backbone
        from agents.detection.learning.corpus import open_corpus
        from agents.detection.learning.training import Plan
        from agents.detection.learning.training import train as fit

        from ..evaluation_report import show

        plan = Plan(
            signals=tuple(dict.fromkeys(signals)),
            held_out=held_out,
            fpr=fpr,
            seed=seed,
            name=name,
            threads=os.cpu_count() or 1,
        )
        with bars() as on_progress:
            frozen = load_backbone(backbone or SHIPPED, learned_on)
            evaluation = fit(open_corpus(folder), frozen, out, plan, on_progress)
        show(evaluation)
    click.echo(f"{out}: {evaluation.bundle}, digest {evaluation.bundle_digest}")
