"""What the pages reach beyond the picture that every worker keeps. The composition root passes
what implements it; see ``topology.oncall``.

All of it is slow beside the read model and may fail: ``Unavailable`` says why, in words that a page
can show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas import Event, FrameRef, FrameSampled, RiskAssessed, StreamUpdated

Pixels = NDArray[np.uint8]
"""``[height, width, 3]``, RGB."""
Session = tuple[str, str]
"""Stream and session."""


class Unavailable(Exception):
    """It can't be had, now or any more. The message is for people, and names no stream."""


class NotDecodable(Exception):
    """No picture can be made of a frame's payload. The message is for people."""


class Unknown(Exception):
    """There is no such incident, as far as the topics go back."""


class ReadFrame(Protocol):
    """Gets one frame by where it lies."""

    async def __call__(self, ref: FrameRef, session: Session) -> FrameSampled:
        """The frame with its payload. Raises ``Unavailable``, also where what lies at ``ref`` is
        not the frame of ``session`` that was judged."""
        ...


Decode = Callable[[FrameSampled, int, int], Pixels]
"""The frame's picture within so many pixels across and down, with its proportions, bars where they
are not those; apart from this process, as a payload may end what decodes it. Blocks. Raises
``NotDecodable``, ``Unavailable``."""


@dataclass(frozen=True, slots=True)
class Span:
    """What of a stream's past is wanted, by Kafka's clock in microseconds."""

    since: int
    until: int
    """Exclusive, for what the frames showed; all else is wanted to this day."""
    decided_since: int
    """From when on decisions and orders are wanted: they are few, and stand for longer."""
    session_id: str = ""
    """Of which session alone; empty for whatever the stream had meanwhile."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the model said of one frame: a score, 0 to 1, for each signal by name."""

    captured_at: int
    session_id: str
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline, in words."""

    at: int
    event: str
    """The event's name."""
    who: str
    what: str
    why: str
    again: int = 0
    """How often it was written once more."""


@dataclass(frozen=True, slots=True)
class History:
    """A stream's past, as far as it was read; each part in order of its own time."""

    samples: tuple[Sample, ...] = ()
    risks: tuple[RiskAssessed, ...] = ()
    events: tuple[Event, ...] = ()
    """Decisions, orders, answers and news of the stream, each once."""
    moments: tuple[Moment, ...] = ()
    omitted: tuple[str, ...] = ()
    """What is missing and why, in words."""


class ReadHistory(Protocol):
    """Gets a stream's past."""

    async def __call__(self, stream_id: str, span: Span) -> History:
        """Raises ``Unavailable``."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """One condition of a rule: what it measures now and what it asks for, in words."""

    words: str
    met: bool


@dataclass(frozen=True, slots=True)
class Threshold:
    """A bound on something that lies between 0 and 1, for a plot."""

    measure: str
    window: float
    """Seconds; 0 where it has none."""
    value: float
    rule: str


@dataclass(frozen=True, slots=True)
class RuleNow:
    """One rule of the policy that decides about a stream, beside what is known of the stream."""

    name: str
    grade: str
    holds: bool
    need: str
    """How the conditions are joined: ``all``, ``any``, or ``mixed`` where there are groups."""
    conditions: tuple[Measured, ...]
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True, slots=True)
class PolicyNow:
    """The policy that decides about a stream, strongest rule first."""

    label: str
    rules: tuple[RuleNow, ...]


TellRules = Callable[[str, RiskAssessed | None, Sequence[StreamUpdated]], PolicyNow]
"""What the rules make of a stream, by its newest risk and the news of it in order of time."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An incident as a file."""

    archive: bytes
    """A zip archive of the folder that ``firebreak incident export`` writes."""
    stream_id: str
    """The stream that the incident is of."""


class ExportIncident(Protocol):
    """Gets all that is on record of an incident, with its frames."""

    async def __call__(self, incident_id: str) -> Exported:
        """The incident's file.

        Raises ``Unavailable``, ``Unknown``.
        """
        ...
