"""The on-call pages and endpoints, served by Faust's own web server.

====================  ==========================================================================
``/``                 every stream, gravest first; refreshes itself once a second where it can
``/streams``          the part of that page that changes
``/api/v1/streams``   the same as JSON
``/static/…``         the files of the page, by exact name
====================  ==========================================================================

What streams are called comes from outside, so the templates escape everything, and no response
may run or load anything that this server did not serve.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import faust
import msgspec
from faust.web import Blueprint, Request, Response, View
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents.following import Progress
from schemas import MICROSECONDS

from .read_model import ReadModel
from .rows import StreamRow
from .standing import SILENT, StreamState

ROWS_SHOWN = 200
LATE_AFTER = 30 * MICROSECONDS
"""From when on a stream that is not judged shows as unwatched though the judgement is silent.

The newest frame of a stream that is judged in time is told of every 5 seconds, at ticks a second
apart: it is some 6 seconds old when the next is told, and older by how far its frames are apart.
"""

_REASONS = {
    "never-judged": "no frame judged",
    "frames-stopped": "frames stopped",
    "lagging": "judging lags behind",
    SILENT: "not judged, and no worker said so",
}
"""Why a stream is unwatched, in words; a reason that is not known here is shown as it came."""
_FOLDER = Path(__file__).parent
_CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HOUR = 3600
_AGE_SCALES = ((9.95, 1, "{:.1f} s"), (119.5, 1, "{:.0f} s"), (2 * _HOUR, 60, "{:.0f} min"))
"""Below which age, in seconds, by what it is divided, and how it is written."""


class FeedStatus(Protocol):
    """What the pages say of the feed; ``Feed`` is one."""

    progress: Progress
    last_error: str | None
    undecodable: int


HeldBack = Callable[[], Mapping[str, Any]]
"""What holds takedowns back everywhere, as ``decision.controls.Controls.status`` says it."""


def register(
    app: faust.App,
    read_model: ReadModel,
    feed: FeedStatus,
    held_back: HeldBack,
    now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> None:
    """Serve the on-call view from ``app``, before its web server has started.

    The routes go in at once, ahead of Faust's own index, which is added as the server starts:
    of two routes for ``/`` the first wins. ``now_us`` is the wall clock in microseconds.
    """
    pages = _Pages(read_model, feed, held_back, now_us)
    files = {
        file.name: (file.read_bytes(), _CONTENT_TYPES[file.suffix])
        for file in sorted((_FOLDER / "static").iterdir())
    }
    blueprint = Blueprint("oncall")

    @blueprint.route("/", name="streams")
    async def streams(view: View, request: Request) -> Response:
        return view.html(pages.html("streams.html"))

    @blueprint.route("/streams", name="streams-part")
    async def streams_part(view: View, request: Request) -> Response:
        return view.html(pages.html("parts.html"))

    @blueprint.route("/api/v1/streams", name="streams-json")
    async def streams_json(view: View, request: Request) -> Response:
        return view.json(pages.json())

    @blueprint.route("/static/{name}", name="static")
    async def static(view: View, request: Request, name: str) -> Response:
        if name not in files:
            raise view.NotFound
        content, content_type = files[name]
        return view.bytes(content, content_type=content_type)

    blueprint.register(app)


class _Pages:
    """Renders the read model as of now."""

    def __init__(
        self,
        read_model: ReadModel,
        feed: FeedStatus,
        held_back: HeldBack,
        now_us: Callable[[], int],
    ) -> None:
        self._read_model = read_model
        self._feed = feed
        self._held_back = held_back
        self._now_us = now_us
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "age": format_age,
            "when": format_when,
            "reason": lambda reason: _REASONS.get(reason, reason),
        }

    def html(self, template: str) -> str:
        now_us = self._now_us()
        return self._templates.get_template(template).render(
            rows=self._rows(now_us),
            now=now_us,
            known=len(self._read_model),
            counters=self._read_model.counters(),
            alerts=self._read_model.alerts(),
            held_back=self._held_back(),
            feed=self._feed,
            Progress=Progress,
            StreamState=StreamState,
        )

    def json(self) -> dict[str, Any]:
        """The streams that the page shows, and how many are known in all."""
        now_us = self._now_us()
        return {
            "as_of": now_us,
            "feed": {
                "progress": self._feed.progress,
                "last_error": self._feed.last_error,
                "undecodable": self._feed.undecodable,
            },
            "held_back": self._held_back(),
            "alerts": [msgspec.to_builtins(alert) for alert in self._read_model.alerts()],
            "counters": asdict(self._read_model.counters()),
            "streams_known": len(self._read_model),
            "streams": [_to_json(row) for row in self._rows(now_us)],
        }

    def _rows(self, now_us: int) -> list[StreamRow]:
        # While the past is being read, nothing is known of how late the judgement is.
        following = self._feed.progress is Progress.FOLLOWING
        return self._read_model.rows(now_us, ROWS_SHOWN, LATE_AFTER if following else None)


def _to_json(row: StreamRow) -> dict[str, Any]:
    unwatched = row.unwatched and row.unwatched._asdict()
    return {**asdict(row), "unwatched": unwatched}


def format_age(seconds: float) -> str:
    """``seconds`` to read at a glance: ``0.4 s``, ``12 s``, ``3 min``, ``2 h``."""
    for limit, unit, pattern in _AGE_SCALES:
        if seconds < limit:
            return pattern.format(max(seconds, 0.0) / unit)
    return f"{seconds / _HOUR:.0f} h"


def format_when(at: int, now: int) -> str:
    """The time of ``at`` (microseconds since the epoch, UTC), with its day unless that is now's."""
    try:
        when, today = (datetime.fromtimestamp(it / MICROSECONDS, UTC) for it in (at, now))
    except (OverflowError, ValueError, OSError):
        return "at no time that a calendar has"
    return when.strftime("%H:%M:%S UTC" if when.date() == today.date() else "%d %b %H:%M UTC")
