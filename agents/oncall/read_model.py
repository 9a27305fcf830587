"""What on-call people see of every stream, folded from the topics' events. Pure.

Events of different topics come in any order, and any of them may come again. Folding is idempotent,
and the order in which topics are read does not change the outcome, as long as each is read in its
own: every fact is kept with what decides which is newer (``sessions``), and sessions of a stream
are apart. A stream's row is of the session that began last, by Kafka's clock. Of more sessions than
are kept, those that nothing was decided of are forgotten first, and then those that began first.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

from schemas import (
    AlertRaised,
    CommandAnswered,
    DecisionReversed,
    DrillOrdered,
    EscalationRaised,
    Event,
    EventDeadLettered,
    IncidentClosed,
    OperatorCommanded,
    RiskAssessed,
    SamplingBoostRequested,
    StreamsHeard,
    StreamUnwatched,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
    WorkerReported,
)

from .audit import Audit
from .bounds import bounded, bounded_id
from .changes import changes
from .drills import Drills
from .fates import KnownOrders
from .handles import handle_of
from .ids import Ids
from .incidents import Incident, Wanted, count_open, list_incidents
from .letters import Letters
from .listing import Listing, Query, list_streams
from .rows import StreamRow
from .sessions import Seen, Session, newer
from .streams import Stream
from .workers import Workers

_CAUSES = 32
_OTHER_CAUSES = "other"
_ALERTS = 32
_Decided = (
    TakedownRequested
    | EscalationRaised
    | TakedownAcknowledged
    | CommandAnswered
    | DecisionReversed
    | IncidentClosed
)
_ROUTINE = (StreamsHeard, StreamUpdated, RiskAssessed, SamplingBoostRequested, WorkerReported)
"""What comes all the time, and is seen soon enough a second later."""
_MENDED = "-mended"
"""How the kinds of alerts end that say that something is over."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What was counted since the topics were first read; a replayed event counts once."""

    frames_judged: int
    """As aggregation told of them every few seconds; a little fewer where workers changed."""
    takedowns: int
    escalations: int
    dead_letters: Mapping[str, int]
    """By cause."""
    evicted: int
    """Streams dropped to stay within the limit."""


class ReadModel:
    """Folds events into rows and counters; keeps at most ``max_streams`` streams.

    Of too many streams, ended ones go first, then undecided ones, the longest unheard of before
    others.
    """

    def __init__(self, *, max_streams: int = 10_000) -> None:
        self._max_streams = max_streams
        self.version = 0
        """Another one where anything may be shown otherwise but the time."""
        self.news = 0
        """Another one where somebody waits to see it: the first sign of something, a decision, an
        order, an answer."""
        self._streams: dict[str, Stream] = {}
        self._handles: dict[str, Stream] = {}
        self._heard = Ids()
        self._decisions = Ids()
        self._buried = Ids()
        self.orders = KnownOrders()
        self.audit = Audit(self.orders)
        self.drills = Drills()
        self.letters = Letters()
        self.workers = Workers()
        self._alerts: dict[str, Seen[AlertRaised]] = {}
        """The newest of each source."""
        self._frames_judged = self._takedowns = self._escalations = self._evicted = 0
        self._dead_letters: dict[str, int] = {}

    def apply(self, event: Event, appended_at_us: int) -> None:
        """Fold in ``event``, which Kafka appended at ``appended_at_us``; -1 where it did not say.

        A ``FrameSampled`` or a ``DetectionsMade`` says nothing here: ``StreamsHeard`` tells of what
        was judged, some seconds at a time.
        """
        at = appended_at_us if appended_at_us >= 0 else event.time
        event = bounded(event)
        self.orders.take(event, at)
        self.version += 1
        self.news += not isinstance(event, _ROUTINE)
        self.audit.apply(event, at)
        self.letters.apply(event, at)
        if (heard := self.workers.apply(event, at)) is not None:
            self.audit.note_changes(changes(heard.before, heard.newest, at), at)
        match event:
            case StreamsHeard():
                self._hear(event, at)
            case EventDeadLettered():
                self._bury(event, at)
            case DrillOrdered():
                self.drills.take(event, at)
            case AlertRaised():
                self._alert(event, at)
            case OperatorCommanded() if event.command == "suppress" and event.stream_id:
                self._stream(event.stream_id, at).suppress(event, at)
            case TakedownAcknowledged():
                # One that failed and one that is done may have the same id.
                self._decide(event, event.id + event.outcome, at)
            case CommandAnswered() if event.stream_id:
                self._decide(event, event.id, at)
            case TakedownRequested() | EscalationRaised() | DecisionReversed() | IncidentClosed():
                self._decide(event, event.id, at)
            case RiskAssessed():
                self._assess(event, at)
            case StreamUpdated() | StreamUnwatched() | SamplingBoostRequested():
                self._session(event.stream_id, event.session_id, at).take(event, at)

    def listing(self, query: Query, now_us: int, late_after_us: int | None = None) -> Listing:
        """The streams that ``query`` asks for.

        ``now_us`` is the wall clock; from ``late_after_us`` on a stream that nobody judges shows as
        unwatched, whether the judgement says so or not.
        """
        return list_streams(self._streams.values(), query, now_us, late_after_us)

    def rows(
        self, now_us: int, limit: int | None = None, late_after_us: int | None = None
    ) -> list[StreamRow]:
        """The gravest streams, ``limit`` of them at most."""
        query = Query(per_page=limit or max(len(self), 1))
        return self.listing(query, now_us, late_after_us).rows

    def stream_of(self, handle: str) -> Stream | None:
        """The stream that ``handle`` names in addresses; ``None`` where none is known."""
        return self._handles.get(handle)

    def incidents(self, wanted: Wanted, now_us: int) -> list[Incident]:
        """The incidents that are ``wanted``, the most urgent first."""
        return list_incidents(self._streams.values(), wanted, now_us)

    def open_incidents(self) -> int:
        return count_open(self._streams.values())

    def alerts(self) -> list[AlertRaised]:
        """What needs a person and is not mended, newest first."""
        standing = (it for it in self._alerts.values() if not it.event.kind.endswith(_MENDED))
        return [it.event for it in sorted(standing, key=_age, reverse=True)]

    def counters(self) -> Counters:
        return Counters(
            frames_judged=self._frames_judged,
            takedowns=self._takedowns,
            escalations=self._escalations,
            dead_letters=dict(self._dead_letters),
            evicted=self._evicted,
        )

    def __len__(self) -> int:
        """How many streams are known."""
        return len(self._streams)

    def _decide(self, event: _Decided, event_id: str, at: int) -> None:
        if self._decisions.is_new(event_id):
            self._takedowns += isinstance(event, TakedownRequested)
            self._escalations += isinstance(event, EscalationRaised)
            self._session(event.stream_id, event.session_id, at).take(event, at)

    def _assess(self, event: RiskAssessed, at: int) -> None:
        session = self._session(event.stream_id, event.session_id, at)
        before = session.risk is None, session.stirs
        session.take(event, at)
        self.news += (session.risk is None, session.stirs) != before

    def _hear(self, event: StreamsHeard, at: int) -> None:
        counts = self._heard.is_new(event.id)
        for heard in event.streams:
            frames = heard.frames if counts else 0
            self._frames_judged += frames
            self._session(heard.stream_id, heard.session_id, at).hear(heard, frames, at)

    def _bury(self, event: EventDeadLettered, at: int) -> None:
        if not self._buried.is_new(event.id):
            return
        counts, cause = self._dead_letters, event.cause
        if cause not in counts and len(counts) >= _CAUSES:
            cause = _OTHER_CAUSES
        counts[cause] = counts.get(cause, 0) + 1
        if event.stream_id:
            self._stream(event.stream_id, at).dead_letters += 1

    def _alert(self, event: AlertRaised, at: int) -> None:
        self._alerts[event.source] = newer(self._alerts.get(event.source), event, at)
        if len(self._alerts) > _ALERTS:
            del self._alerts[min(self._alerts, key=lambda source: self._alerts[source].at)]

    def _session(self, stream_id: str, session_id: str, at: int) -> Session:
        return self._stream(stream_id, at).session(bounded_id(session_id))

    def _stream(self, stream_id: str, at: int) -> Stream:
        name = bounded_id(stream_id)
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream(name, appended_at=at)
            self._handles[handle_of(name)] = stream
            if len(self._streams) > self._max_streams:
                self._evict(stream)
        stream.appended_at = max(stream.appended_at, at)
        return stream

    def _evict(self, newcomer: Stream) -> None:
        # Some at once, so that a scan of all streams is not paid for each newcomer.
        excess = len(self._streams) - self._max_streams + self._max_streams // 16
        others = (stream for stream in self._streams.values() if stream is not newcomer)
        for stream in heapq.nsmallest(excess, others, key=Stream.eviction_order):
            del self._streams[stream.stream_id]
            self._handles.pop(handle_of(stream.stream_id), None)
            self._evicted += 1


def _age(alert: Seen[AlertRaised]) -> int:
    return alert.at
