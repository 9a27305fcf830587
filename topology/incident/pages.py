"""Timeline and referral as HTML: files that load nothing, run nothing and can be printed.

What is written in them comes from outside, so the templates escape everything, and spell out what
is not printable: marks that turn the direction of writing could make a page read as what it is not.
Frames are linked and never shown: whoever opens a page must not be met by such a picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents.decision.commands import Command

from ..watch import printable
from .evidence import PICTURES, Frame
from .records import IncidentRecord
from .timeline import shown


def _spelled_out(value: Any) -> Any:
    """Text with what is not printable escaped; what a template made of it is left alone."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_spelled_out,
    trim_blocks=True,
    lstrip_blocks=True,
)


def timeline_page(record: IncidentRecord, frames: Sequence[Frame]) -> str:
    """``timeline.html``."""
    return _TEMPLATES.get_template("timeline.html").render(
        incident_id=record.incident_id,
        drill=record.drill,
        record=record,
        entries=shown(record),
        frames=frames,
        pictures=PICTURES,
    )


def referral_page(referral: Mapping[str, Any]) -> str:
    """``referral.html``; ``referral`` is what ``referral.json`` holds."""
    return _TEMPLATES.get_template("referral.html").render(
        incident_id=referral["incident_id"],
        drill=referral["drill"],
        referral=referral,
        Command=Command,
        pictures=PICTURES,
    )
