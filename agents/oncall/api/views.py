"""What operations answer with, beside what the pages show as well.

Times are microseconds since the Unix epoch, UTC, where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas import AlertRaised

from ..audit import Begins
from ..audit_entries import Entry
from ..fates import Phase, Stop
from ..in_force import InForce
from ..incidents import Incident
from ..plotting import Plot
from ..policies import Difference, PolicyTold
from ..ports import Moment, PolicyNow
from ..read_model import Counters
from ..rows import StreamRow
from ..standing import StreamState


class FeedTold(msgspec.Struct, frozen=True):
    """How far this worker has read what all of it rests on."""

    progress: str
    last_error: str | None
    undecodable: int


class BreakerTold(msgspec.Struct, frozen=True):
    """The breaker: while it is open, takedowns become escalations."""

    open: bool
    until: str | None
    why: str | None
    by: str | None
    """Who ordered it open, or the policy that tripped it."""
    order: str | None
    """The id of the order; none where the policy tripped it."""
    takedowns: int
    """Within the policy's time."""
    opens_at_takedowns: int
    streams_at_risk: int
    streams_live: int


class KillSwitch(msgspec.Struct, frozen=True):
    """A hold on takedowns that somebody ordered."""

    scope: str
    until: str
    by: str
    why: str
    order: str
    """Its id."""


class HeldBack(msgspec.Struct, frozen=True):
    """What holds takedowns back everywhere, under the live policy."""

    known: bool
    """Whether this worker knows all there is; while it does not, takedowns are held back."""
    streams_unwatched: int
    breaker: BreakerTold
    kill_switches: list[KillSwitch]


class StreamsTold(msgspec.Struct, frozen=True):
    """A page of streams, and how it stands with the whole."""

    as_of: int
    feed: FeedTold
    held_back: HeldBack
    alerts: list[AlertRaised]
    counters: Counters
    streams_known: int
    counts: Mapping[str, int]
    """Of all that are known, by state, and ``unwatched``."""
    total: int
    """Of those that were asked for, on all pages."""
    page: int
    pages: int
    streams: list[StreamRow]


class StreamTold(msgspec.Struct, frozen=True):
    """One session of a stream, and the incidents of all its sessions that are kept."""

    as_of: int
    stream: StreamRow
    incidents: list[Incident]


class HistoryTold(msgspec.Struct, frozen=True):
    """A stream's past. The plot's times are seconds since the epoch."""

    since: int
    until: int
    plot: Plot
    moments: list[Moment]
    policy: PolicyNow


class IncidentsTold(msgspec.Struct, frozen=True):
    """The incidents, the most urgent first; closed ones newest first."""

    as_of: int
    total: int
    """Of those that were asked for; the first of them are told."""
    incidents: list[Incident]


class IncidentTold(msgspec.Struct, frozen=True):
    """One incident, and its stream as it is now."""

    as_of: int
    incident: Incident
    stream: StreamRow


class AuditTold(msgspec.Struct, frozen=True):
    """A page of entries, newest first."""

    as_of: int
    total: int
    dropped: int
    """How many were too many to be kept, of all."""
    page: int
    pages: int
    begins: list[Begins]
    """From when on there is anything: of all kinds first, then of those of which there is less."""
    entries: list[Entry]


class OrderTold(msgspec.Struct, frozen=True):
    """An order, and what became of it. It is in effect once its answer came back from Kafka."""

    order_id: str
    phase: Phase
    final: bool
    """Whether nothing more becomes of the order itself."""
    overdue: bool
    """Whether an answer should have come by now: see whether a worker runs."""
    command: str = ""
    handle: str = ""
    stream_id: str = ""
    session_id: str = ""
    """Of the order's answer, or which was ordered; empty for whichever the stream has."""
    scope: str = ""
    operator: str = ""
    reason: str = ""
    until: int | None = None
    assignee: str = ""
    taken_at: int | None = None
    """When Kafka had it."""
    took_effect_at: int | None = None
    """When it was in effect, or refused."""
    refusal: str = ""
    """Why it was refused, as the decision names it."""
    refusal_told: str = ""
    """The same in words."""
    state_before: str = ""
    """Of the decision's machine."""
    state_after: str = ""
    incident_id: str = ""
    held_by: str = ""
    """Who has the incident in hand after it."""
    stop: Stop | None = None
    """What came of the stop that it asked for."""


class ForetoldTold(msgspec.Struct, frozen=True):
    """What an order would do. The decision may know more, so it is no promise."""

    command: str
    label: str
    follows: list[str]
    """In sentences, in order."""
    refusal: str
    """Why it is likely to be refused as things stand; empty where it is not."""
    not_done: str
    undo: str
    session_id: str
    state: StreamState
    held_by: str


class Compared(msgspec.Struct, frozen=True):
    """What another policy does otherwise than the live one."""

    place: str
    label: str
    differences: list[Difference]


class DrillTold(msgspec.Struct, frozen=True):
    """The drill that was started last."""

    handle: str
    operator: str
    reason: str
    started_at: int
    until: int
    runs: bool
    failure: str
    """Why it failed, in words; empty where it did not."""


class ControlTold(msgspec.Struct, frozen=True):
    """What holds takedowns back, and which policies and bundles run."""

    as_of: int
    held_back: HeldBack
    policies: list[PolicyTold]
    """Of this worker, the live one first."""
    compared: list[Compared]
    bundles_in_force: list[InForce]
    policies_in_force: list[InForce]
    bundles_at_odds: list[str]
    """Parts (``live``, ``canary``, ``shadow``) that workers have differently."""
    policies_at_odds: list[str]
    drill: DrillTold | None


class LiveTold(msgspec.Struct, frozen=True):
    """The process answers."""

    live: bool


class ReadyTold(msgspec.Struct, frozen=True):
    """Whether the worker does its whole work."""

    ready: bool
    checks: dict[str, bool]
    reasons: list[str]
    """The checks that are not met."""


class WorkerTold(msgspec.Struct, frozen=True):
    """What this worker runs, and what it counted since it started."""

    runs: dict[str, Any]
    counts: dict[str, int]
