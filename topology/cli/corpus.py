"""``firebreak corpus``: footage to train on and to measure by."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import OperatorError
from ..learning import bars, told_to_operators

if TYPE_CHECKING:
    from agents.detection.learning.adding import Added, Adding
    from agents.detection.learning.labels import Labelling

_corpus_option = click.option(
    "--corpus",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the corpus.",
)


@click.group()
def corpus() -> None:
    """Footage to train on and to measure by."""


@corpus.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH...")
@_corpus_option
@click.option("--label", type=click.Choice(["drill", "film", "game", "ordinary"]))
@click.option("--source", required=True, help="What is split as one: a game, a film, a camera.")
@click.option("--licence", required=True, help="SPDX identifier, or in words.")
@click.option("--provenance", help="Who made it, how, and where it is from.")
@click.option("--fps", type=click.FloatRange(0.001, 1000), default=2.0, show_default=True)
@click.option(
    "--firearm",
    multiple=True,
    metavar="FROM-TO|all",
    help="Seconds of a drill in which a firearm is seen; may be repeated.  [default: as CLIP.toml "
    "beside CLIP says, firearm_from and firearm_to; not known without one]",
)
@click.option(
    "--signal",
    "signals",
    multiple=True,
    metavar="NAME=0|1|unknown",
    help="Any signal's label, before what --label implies; may be repeated.",
)
@click.option(
    "--from-verdicts",
    "verdicts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Reviewers' verdicts, JSON lines, instead of PATHs and --label.",
)
def add(
    *,
    paths: tuple[Path, ...],
    folder: Path,
    label: str | None,
    source: str,
    licence: str,
    provenance: str | None,
    fps: float,
    firearm: tuple[str, ...],
    signals: tuple[str, ...],
    verdicts: Path | None,
) -> None:
    """Add each PATH, a video, a picture or a folder of them, to a corpus.

    Taken are the first frame of each scene and one every 1/fps seconds; frames that look the same
    are kept once, and not at all where they are another source's. Added again with other labels, a
    file's frames get those. Exits with 1 if any file can't be read; the others are added.

    --label says what the footage is: drill (real, of police or actors), film, game, or ordinary
    (real, no firearm). Of verdicts each stream becomes a source, SOURCE.…, labelled as decided.
    """
    if verdicts is not None:
        if paths or label or firearm or signals:
            raise click.UsageError("--from-verdicts says it all: no PATH, --label, --firearm, …")
    elif not paths or label is None:
        raise click.UsageError("name a PATH and its --label, or --from-verdicts")
    with told_to_operators():
        from agents.detection.learning.adding import open_for_adding

        with open_for_adding(folder) as adding:
            origin = _Origin(adding, source, licence, provenance, fps)
            if verdicts is not None:
                origin.add_verdicts(verdicts)
            else:
                from agents.detection.learning.labels import (
                    Label,
                    Labelling,
                    parse_signals,
                    parse_spans,
                )

                spans, truths = parse_spans(firearm), parse_signals(signals)
                origin.add_files(paths, Labelling(Label(str(label)), spans, truths))
    origin.conclude()


class _Origin:
    """What is added is from here."""

    def __init__(
        self, adding: Adding, source: str, licence: str, provenance: str | None, fps: float
    ) -> None:
        self._adding = adding
        self._source, self._licence, self._provenance = source, licence, provenance
        self._fps = fps
        self._outcomes: Counter[str] = Counter()
        self._failed = 0

    def add_files(self, paths: tuple[Path, ...], labelling: Labelling) -> None:
        from dataclasses import replace

        from agents.detection.learning.labels import Label

        from ..footage import list_footage, sha256_of, sidecar_of

        files = list_footage(paths)
        with bars() as show:
            for number, path in enumerate(files):
                show("adding", number, len(files))
                one = labelling
                if labelling.label is Label.DRILL and labelling.firearm is None:
                    one = replace(labelling, firearm=sidecar_of(path, sha256_of(path)))
                self._add(path, self._source, one)
            show("adding", len(files), len(files))

    def add_verdicts(self, path: Path) -> None:
        from agents.detection.learning.verdicts import read_verdicts

        verdicts = read_verdicts(path)
        with bars() as show:
            for number, verdict in enumerate(verdicts):
                show("adding", number, len(verdicts))
                source = verdict.source(self._source)
                for name in verdict.frames:
                    self._add(path.parent / name, source, verdict.labelling, verdict.verdict_id)
            show("adding", len(verdicts), len(verdicts))

    def _add(
        self, path: Path, source: str, labelling: Labelling, verdict: str | None = None
    ) -> None:
        from agents.detection.learning.adding import Clip
        from agents.detection.learning.corpus import Original

        from ..footage import sample_footage, sha256_of

        try:
            original = Original(path.name, sha256_of(path))
            clip = Clip(source, self._licence, self._provenance, original, labelling, verdict)
            self._tally(self._adding.add(clip, sample_footage(path, self._fps)))
        except (OperatorError, OSError) as error:
            self._failed += 1
            click.echo(f"! {error}", err=True)

    def _tally(self, added: Added) -> None:
        self._outcomes["kept"] += added.kept
        self._outcomes["near-identical to others of the source"] += added.alike
        self._outcomes["refused, being near-identical to another source's"] += added.foreign

    def conclude(self) -> None:
        for outcome, frames in self._outcomes.items():
            if frames or outcome == "kept":
                click.echo(f"{frames} frames {outcome}")
        if self._failed:
            click.echo(f"{self._failed} files could not be read", err=True)
            sys.exit(1)


@corpus.command()
@_corpus_option
def show(folder: Path) -> None:
    """Sources, their frames, and of how many each signal is known."""
    with told_to_operators():
        from rich import box
        from rich.console import Console
        from rich.table import Table

        from agents.detection.learning.corpus import open_corpus

        opened = open_corpus(folder)
        signals = sorted({name for frame in opened.frames for name in frame.signals})
        table = Table("source", "label", "frames", "files", *signals, "licence", box=box.SIMPLE)
        for name, source in sorted(opened.sources.items()):
            frames = [frame for frame in opened.frames if frame.source == name]
            table.add_row(
                name,
                ", ".join(sorted({frame.label for frame in frames})),
                str(len(frames)),
                str(len(source.originals)),
                *(
                    _known(Counter(frame.signals.get(signal) for frame in frames))
                    for signal in signals
                ),
                source.licence,
            )
        Console().print(table)
        click.echo(f"{len(opened.frames)} frames, digest {opened.digest}")
        click.echo("of each signal: frames that have it / that don't / not known")


def _known(truths: Counter[int | None]) -> str:
    return f"{truths[1]}/{truths[0]}/{truths[None]}"
