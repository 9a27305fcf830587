"""Pages from templates. What streams are called comes from outside: everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents.following import Progress
from schemas import MICROSECONDS

from .access.roles import Permission
from .desk import Desk
from .handles import page_of
from .routing import Visit
from .standing import SILENT, StreamState

_REASONS = {
    "never-judged": "no frame judged",
    "frames-stopped": "frames stopped",
    "lagging": "judging lags behind",
    SILENT: "not judged, and no worker said so",
}
"""Why a stream is unwatched, in words; a reason that is not known here is shown as it came."""
_NAVIGATION = (
    ("now", "/", "Now"),
    ("incidents", "/incidents", "Incidents"),
    ("control", "/control", "Control"),
    ("topology", "/topology", "Topology"),
    ("audit", "/audit", "Audit"),
)
"""The pages that all others lead to: what each calls itself, where it is, and its name."""
_SPARK_WIDTH, _SPARK_HEIGHT = 64, 20
_HOUR = 3600
_NO_BREAK = "\N{NO-BREAK SPACE}"
_AGE_SCALES = ((9.95, 1, "{:.1f} s"), (119.5, 1, "{:.0f} s"), (2 * _HOUR, 60, "{:.0f} min"))
"""Below which age, in seconds, by what it is divided, and how it is written."""


def format_age(seconds: float) -> str:
    """``seconds`` to read at a glance: ``0.4 s``, ``12 s``, ``3 min``, ``2 h``."""
    for limit, unit, pattern in _AGE_SCALES:
        if seconds < limit:
            return pattern.format(max(seconds, 0.0) / unit)
    return f"{seconds / _HOUR:.0f} h"


def format_when(at: int, now: int) -> str:
    """The time of ``at`` (microseconds since the epoch, UTC), with its day unless that is now's.

    No line breaks within it.
    """
    try:
        when, today = (datetime.fromtimestamp(it / MICROSECONDS, UTC) for it in (at, now))
    except (OverflowError, ValueError, OSError):
        return "at no time that a calendar has"
    told = when.strftime("%H:%M:%S UTC" if when.date() == today.date() else "%d %b %H:%M UTC")
    return told.replace(" ", _NO_BREAK)


def format_told(told: str, now: int) -> str:
    """A time that was told to the second, in ISO 8601, as ``format_when`` has it."""
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        return told
    return format_when(round(at.timestamp() * MICROSECONDS), now)


def spark(values: Sequence[float | None]) -> str:
    """A line through ``values``, 0 to 1, as an SVG path; straight over where there is none."""
    step = _SPARK_WIDTH / max(len(values) - 1, 1)
    points = [
        f"{number * step:.1f} {(1 - value) * _SPARK_HEIGHT:.1f}"
        for number, value in enumerate(values)
        if value is not None
    ]
    # A point alone shows as one: a line to itself with round ends.
    return f"M{points[0]}L{' '.join(points[1:] or points)}" if points else ""


def _environment() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "age": format_age,
        "told": format_told,
        "when": format_when,
        "spark": spark,
        "reason": lambda reason: _REASONS.get(reason, reason),
    }
    templates.globals |= {
        "NAVIGATION": _NAVIGATION,
        "Permission": Permission,
        "Progress": Progress,
        "StreamState": StreamState,
        "page_of": page_of,
    }
    return templates


_TEMPLATES = _environment()


def render(template: str, visit: Visit, desk: Desk, **what: Any) -> str:
    """``template`` for ``visit``, with what all pages say (the banners), and ``what`` besides."""
    return _TEMPLATES.get_template(template).render(
        visit=visit,
        now=visit.now,
        feed=desk.feed,
        held_back=desk.held_back(),
        alerts=desk.read_model.alerts(),
        counters=desk.read_model.counters(),
        known=len(desk.read_model),
        # Asked for by whole pages alone: it goes over all streams.
        open_incidents=desk.read_model.open_incidents,
        **what,
    )


def render_bare(template: str, **what: Any) -> str:
    """``template`` for whoever it is: nothing of what is going on is on it."""
    return _TEMPLATES.get_template(template).render(**what)


def html(text: str, status: int = 200) -> web.Response:
    """``text`` as a page."""
    return web.Response(text=text, status=status, content_type="text/html")
