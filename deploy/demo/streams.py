"""The demo's streams: which clips go in under which names. What comes out is not said here."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import msgspec

from topology.errors import OperatorError

HERE = Path(__file__).parent
DEFAULT_STREAMS = HERE / "streams.toml"


class DemoUnready(OperatorError):
    """A clip of the demo can't be had."""


class DemoStream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stream of the demo.

    ``clip`` is a path beside the file that lists it, ``package:path`` for a file that an installed
    package ships, or ``game`` for a game rendered here and now.
    """

    id: str
    kind: str
    clip: str
    drill: bool = False


class _Label(msgspec.Struct, frozen=True):
    firearm_from: float


class _Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stream: list[DemoStream]


def load_streams(path: Path) -> list[DemoStream]:
    """The streams listed in ``path``. Raises ``DemoUnready``."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_Listing).stream
    except (OSError, ValueError) as error:
        raise DemoUnready(f"{path}: {error}") from error


def find_clip(stream: DemoStream, listed_in: Path, game: Path) -> Path:
    """Where the clip of ``stream`` lies. Raises ``DemoUnready``."""
    if stream.clip == "game":
        return game
    package, _, inside = stream.clip.partition(":")
    if not inside:
        clip = listed_in.parent / stream.clip
    else:
        try:
            # Located and not imported: the package may not work beside this version of numpy.
            clip = Path(str(distribution(package).locate_file(inside)))
        except PackageNotFoundError as error:
            raise DemoUnready(f"{stream.id}: package {package} is not installed") from error
    if not clip.exists():
        raise DemoUnready(f"{stream.id}: no clip at {clip}")
    return clip


def labelled_onset(clip: Path) -> float | None:
    """Seconds from the start of ``clip`` to its first firearm, from the label beside it if any."""
    label = clip.with_suffix(".toml")
    if not label.exists():
        return None
    return msgspec.toml.decode(label.read_bytes(), type=_Label).firearm_from
