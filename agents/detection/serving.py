"""Which bundles judge right now: loaded at the start, and again when their files change.

Files are looked at every half second on a thread. What has changed, and looks the same at two
looks running, is loaded and warmed up on a thread and then takes effect between two micro-batches:
a batch asks once who judges. What can't be loaded leaves what it was to replace in its place, and
is tried again when its files change.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mode import Service

from schemas import PartInForce

from .batching import Judged
from .detector import Judge, Judges, Scored
from .lineup import LineUp, LineUpInvalid, Part
from .manifest import BundleInvalid
from .on_disk import Look, look
from .shadow import Shadow

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5

Load = Callable[[Path, Part], Judge]
"""Loads the bundle in a folder, warmed up. Blocks; raises ``BundleInvalid``."""


@dataclass(frozen=True, slots=True)
class _Seat:
    """One part of the line-up: who has it, and what came of the last attempt to fill it."""

    judge: Judge | None = None
    folder: Path | None = None
    loaded_at: float | None = None
    """Seconds since the epoch; for people."""
    trace: str | None = None
    """How the files looked at the last attempt."""
    failure: str | None = None


class Serving(Service):
    """Runs with the Faust app and ends with it; ``begin`` comes first.

    ``source`` is a bundle's folder or a line-up file. ``shadow_of`` makes a judge a shadow.
    """

    def __init__(
        self, source: Path, load: Load, shadow_of: Callable[[Judge], Shadow], **service: Any
    ) -> None:
        super().__init__(**service)
        self._source = source
        self._load = load
        self._shadow_of = shadow_of
        self._judges: Judges | None = None
        self._shadow: Shadow | None = None
        self._seats: Mapping[Part, _Seat] = {}
        self._share = 0.0
        self._failure: str | None = None
        self._last_look: Look | None = None
        self._acted_on: Look | None = None

    @property
    def judges(self) -> Judges:
        """Who judges. A batch asks once and keeps to the answer."""
        if self._judges is None:
            raise RuntimeError("asked who judges before `begin`")
        return self._judges

    @property
    def is_warm(self) -> bool:
        """Whether a live bundle is loaded and has judged its first batch."""
        return self._judges is not None

    def begin(self) -> None:
        """Load the line-up. Blocks.

        Raises ``LineUpInvalid``, and ``BundleInvalid`` for the live bundle; without a canary or a
        shadow that can't be loaded the work is begun.
        """
        found = look(self._source)
        if found.line_up is None:
            raise LineUpInvalid(found.failure)
        seats = self._fill(found.line_up, found)
        if seats[Part.LIVE].judge is None:
            raise BundleInvalid(seats[Part.LIVE].failure)
        self._take_effect(found.line_up, seats)
        self._acted_on = found

    async def refresh(self) -> None:
        """Look at the files, and do what they ask for once they are still."""
        found = await asyncio.to_thread(look, self._source)
        still, self._last_look = found == self._last_look, found
        if not still or found == self._acted_on:
            return
        if found.line_up is not None:
            seats = await asyncio.to_thread(self._fill, found.line_up, found)
            self._take_effect(found.line_up, seats)
        _say("line-up", self._failure, found.failure)
        self._failure = found.failure
        self._acted_on = found

    def show(self, judged: Judged, scored: Scored) -> None:
        """Let the shadow judge besides what was judged, if there is one."""
        if self._shadow is not None:
            self._shadow.show(judged, scored)

    def status(self) -> dict[str, object]:
        """Who judges, by part, and what could not be loaded; for people to read."""
        told: dict[str, object] = {
            "line_up": {"source": str(self._source), "failure": self._failure}
        }
        for part, seat in self._seats.items():
            told[part] = _told(seat) | ({"share": self._share} if part is Part.CANARY else {})
        return told

    def in_force(self) -> list[PartInForce]:
        """Who judges, by part, and what on."""
        shares = {Part.LIVE: 1 - self._share, Part.CANARY: self._share}
        return [
            PartInForce(
                kind="bundle",
                part=part,
                label=seat.judge.bundle.label,
                digest=seat.judge.bundle.digest,
                share=shares.get(part, 0.0),
                provider=seat.judge.bundle.execution.provider,
            )
            for part, seat in self._seats.items()
            if seat.judge is not None
        ]

    def failures(self) -> list[str]:
        """What could not be loaded, in words."""
        parts = ((part, seat.failure) for part, seat in self._seats.items())
        told = (("line-up", self._failure), *parts)
        return [f"bundle, {what}: {failure}" for what, failure in told if failure is not None]

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.sleep(LOOK_SECONDS)
            await self.refresh()

    async def on_stop(self) -> None:
        if self._shadow is not None:
            self._shadow.close()

    def _fill(self, line_up: LineUp, found: Look) -> dict[Part, _Seat]:
        """The seats of ``line_up``. Blocks while it loads what is new."""
        return {
            part: self._seat(part, folder, found.traces[part])
            for part, folder in line_up.folders.items()
        }

    def _seat(self, part: Part, folder: Path, trace: str) -> _Seat:
        before = self._seats.get(part, _Seat())
        if before.trace == trace:
            return before
        try:
            judge = self._load(folder, part)
        # Watching files goes on whatever is in them: a bundle may make ONNX Runtime raise anything.
        except Exception as error:  # noqa: BLE001
            known = isinstance(error, BundleInvalid)
            failure = str(error) if known else f"{folder}: {type(error).__name__}: {error}"
            return replace(before, trace=trace, failure=failure)
        if before.judge is not None and before.judge.bundle.digest == judge.bundle.digest:
            judge = before.judge
        return _Seat(judge, folder, time.time(), trace)

    def _take_effect(self, line_up: LineUp, seats: Mapping[Part, _Seat]) -> None:
        """From here on the next batch is judged so; what is not seated any more is let go."""
        live = seats[Part.LIVE].judge
        if live is None:
            raise RuntimeError("a live bundle that can't be loaded leaves the old one in its seat")
        canary = seats.get(Part.CANARY, _Seat()).judge
        shadow = seats.get(Part.SHADOW, _Seat()).judge
        for part, seat in seats.items():
            _say(part, self._seats.get(part, _Seat()).failure, seat.failure)
        self._judges = Judges(live, canary, line_up.share)
        self._seats, self._share = seats, line_up.share
        if self._shadow is not None and self._shadow.judge is not shadow:
            self._shadow.close()
            self._shadow = None
        if self._shadow is None and shadow is not None:
            self._shadow = self._shadow_of(shadow)


def _say(what: str, before: str | None, failure: str | None) -> None:
    """Log a failure, once for as long as it is the same."""
    if failure is not None and failure != before:
        log.error("%s: %s; until that is put right it stays as it was", what, failure)


def _told(seat: _Seat) -> dict[str, object]:
    told: dict[str, object] = {"failure": seat.failure}
    if seat.judge is not None and seat.loaded_at is not None:
        bundle = seat.judge.bundle
        execution = bundle.execution
        told |= {
            "bundle": bundle.label,
            "digest": bundle.digest,
            "folder": str(seat.folder),
            "loaded_at": datetime.fromtimestamp(seat.loaded_at, UTC).isoformat(timespec="seconds"),
            "provider": execution.provider,
            "model_file": execution.model_file,
            "precision": execution.precision,
            "passed_over": {item.provider: item.reason for item in execution.passed_over},
        }
    return told
