"""Gathers and renders footage: ``python -m deploy.footage [--out DIR] [--seconds N] [--maps N]``.

What is there already is kept, so a run that was ended goes on where it was. What can't be had
here is skipped, and the listing says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from deploy.demo.streams import HERE as DEMO

from .engines import TESTED, TRAINED, Engine
from .listing import Clip, Listing, Skipped, read_listing, write_listing
from .packages import Item, NotShipped, fetch, read_items, seconds_of
from .screen import CannotRecord

Making = tuple[str, Callable[[Path], Clip]]
"""A clip's id, and what makes it in a folder."""


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/footage"))
@click.option("--seconds", default=60.0, show_default=True, help="Of each game clip.")
@click.option("--maps", default=8, show_default=True, help="Of each game, at most.")
@click.option("--only", type=click.Choice(["train", "test"]), help="One role only.")
def main(out: Path, seconds: float, maps: int, only: str | None) -> None:
    """Fill a folder with footage for training and evaluation."""
    out.mkdir(parents=True, exist_ok=True)
    clips = {clip.id: clip for clip in read_listing(out).clip if (out / clip.file).exists()}
    skipped: list[Skipped] = []
    for clip_id, make in _everything(seconds, maps, only):
        if clip_id in clips:
            continue
        try:
            clips[clip_id] = make(out)
            click.echo(f"{clip_id}: {clips[clip_id].file}")
        except (NotShipped, CannotRecord) as error:
            skipped.append(Skipped(clip_id, str(error)))
            click.echo(f"{clip_id}: skipped: {error}")
        write_listing(out, Listing([clips[key] for key in sorted(clips)], skipped))


def _everything(seconds: float, maps: int, only: str | None) -> Iterator[Making]:
    for item in read_items():
        if only in (None, item.role):
            yield item.id, _fetching(item)
    yield "drill", _drill
    for role, engines in (("test", TESTED), ("train", TRAINED)):
        for engine in engines if only in (None, role) else ():
            for level in engine.maps[:maps]:
                yield f"{engine.name}-{level}", _playing(engine, level, seconds, role)


def _fetching(item: Item) -> Callable[[Path], Clip]:
    return lambda folder: fetch(item, folder)


def _playing(engine: Engine, level: str, seconds: float, role: str) -> Callable[[Path], Clip]:
    def play(folder: Path) -> Clip:
        name = f"{engine.name}-{level}.mp4"
        if not (folder / name).exists():
            engine.play(level, seconds, folder / name)
        return Clip(
            id=f"{engine.name}-{level}",
            kind="game",
            role="train" if role == "train" else "test",
            file=name,
            licence=engine.licence,
            provenance=f"package {engine.package}, map {level}, played by its own bots",
            engine=engine.name,
            seconds=seconds_of(folder / name),
        )

    return play


def _drill(folder: Path) -> Clip:
    """The project's own drill, with its label beside it."""
    for suffix in (".mp4", ".toml"):
        (folder / f"drill{suffix}").write_bytes((DEMO / f"drill/drill{suffix}").read_bytes())
    return Clip(
        id="drill",
        kind="drill",
        role="test",
        file="drill.mp4",
        licence="Apache-2.0",
        provenance="deploy/demo/drill, rendered by this project",
        seconds=seconds_of(folder / "drill.mp4"),
    )


if __name__ == "__main__":
    main()
