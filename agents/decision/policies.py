"""Which policies are in force, and which of them decides about a stream. Pure.

One policy's file is enough. To try another, a line-up names the files; paths are relative to the
folder that it lies in::

    live = "default-3.toml"         # decides about every stream that the canary does not
    [canary]                        # optional: decides about a share of the streams, and it counts
    policy = "default-4.toml"
    share = 0.05                    # 0 to 1
    [shadow]                        # optional: decides besides, and only differences are told
    policy = "default-5.toml"
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..rollout import in_share
from .grammar import Field, TableOf, number, text
from .policy import Policy
from .policy_file import WINDOWS, PolicyKind, read_toml
from .toml_lines import Path


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies in force. Of what ``shadow`` would decide only differences are told."""

    live: Policy
    canary: Policy | None = None
    share: float = 0.0
    """Of all streams, those that the canary decides about, 0 to 1."""
    shadow: Policy | None = None

    def of(self, stream_id: str) -> Policy:
        """The policy that decides about the stream: the same on every worker, for as long as the
        share is, and a share that grows only adds streams to the canary's."""
        # Drawn apart from the bundles' canary, or a stream would have both trials or neither and
        # nobody could tell which of them a difference came from.
        if self.canary is not None and in_share(f"policy/{stream_id}", self.share):
            return self.canary
        return self.live


@dataclass(frozen=True, slots=True)
class LineUp:
    """The files of the policies in force, relative to the line-up's folder; empty for none."""

    live: str
    canary: str = ""
    share: float = 0.0
    shadow: str = ""


def parse_file(text: str, windows: Collection[float] = WINDOWS) -> Policy | LineUp:
    """What ``text`` is: a line-up if it has ``live``, a policy otherwise. Raises
    ``PolicyInvalid``."""

    def read(document: object, path: Path) -> Policy | LineUp:
        if isinstance(document, dict) and "live" in document:
            return _read_line_up(document, path)
        return PolicyKind(tuple(windows)).read(document, path)

    return read_toml(text, read)


_FILE = Field(text(r"[^\0]{1,1024}", "the path of a policy's file"), "Of a policy.", required=True)
_LINE_UP = TableOf(
    {
        "live": _FILE,
        "canary": Field(
            TableOf(
                {"policy": _FILE, "share": Field(number(0, 1), "Of all streams.", required=True)}
            ),
            "Decides about a share of the streams.",
        ),
        "shadow": Field(TableOf({"policy": _FILE}), "Decides beside the others."),
    }
)


def _read_line_up(document: object, path: Path) -> LineUp:
    given = _LINE_UP.read(document, path)
    canary = given.get("canary", {"policy": "", "share": 0.0})
    shadow = given.get("shadow", {"policy": ""})
    return LineUp(given["live"], canary["policy"], canary["share"], shadow["policy"])
