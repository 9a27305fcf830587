"""What a partition knows between two events: its sessions, its time, what falls due when. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas import MICROSECONDS

from .decide import due_at
from .policies import Policies
from .session import Session
from .states import State
from .watching import Key, Watch

KEPT = 24 * 3600 * MICROSECONDS
"""What is settled is remembered for this long: a restart within it is recognised as one."""
_ENDED_KEPT = 10 * 60 * MICROSECONDS
"""A session that ended with nothing to settle is known as ended for this long: its last frames come
afterwards, and another worker may have them to decide on."""


@dataclass(slots=True)
class Agenda:
    """When to look at which session again. Its cost goes by what falls due."""

    _heap: list[tuple[int, Key]] = field(default_factory=list)
    _next: dict[Key, int] = field(default_factory=dict)

    def note(self, key: Key, at: int | None) -> None:
        """Look at ``key`` at ``at``, or not at all; what was noted of it before is void."""
        if at is None:
            self._next.pop(key, None)
        elif self._next.get(key) != at:
            self._next[key] = at
            heapq.heappush(self._heap, (at, key))

    def due(self, now: int) -> Iterator[Key]:
        """What is due by ``now``, each once; note it again while iterating to be told again."""
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._next.get(key) == at:
                del self._next[key]
                yield key


@dataclass(slots=True)
class Situation:
    """The sessions of one partition.

    ``trial`` is for a policy that decides nothing: it neither fills the breaker nor answers people.
    """

    sessions: dict[Key, Session] = field(default_factory=dict)
    """Those of which there is something to remember."""
    trial: bool = False
    now: int = 0
    watch: Watch = field(default_factory=Watch)
    newest: dict[str, str] = field(default_factory=dict)
    """The session of each stream that was heard of last."""
    agenda: Agenda = field(default_factory=Agenda)
    counted: tuple[int, int, int, int] = (0, 0, 0, 0)
    """When streams were counted last, and the counts."""

    def __post_init__(self) -> None:
        for stream_id, session_id in self.sessions:
            self.newest[stream_id] = session_id

    def pass_time(self, now: int, policies: Policies) -> None:
        """It is ``now``. The first time, what was remembered is looked through for what is due."""
        if self.now == 0:
            for key, session in self.sessions.items():
                self.agenda.note(key, self._look_at(key, session, policies))
                if session.started_at and not session.ended:
                    self.watch.begin(key, now)
        self.now = max(self.now, now)

    def keep(self, key: Key, session: Session, policies: Policies) -> None:
        """Remember ``session``, unless there is nothing of it to remember."""
        if session == Session(drill=session.drill):
            self.forget(key)
            return
        self.sessions[key] = session
        self.agenda.note(key, self._look_at(key, session, policies))

    def forget(self, key: Key) -> None:
        """There is nothing to remember of ``key`` any more."""
        self.sessions.pop(key, None)
        self.agenda.note(key, None)
        if self.newest.get(key[0]) == key[1] and key not in self.watch.live:
            del self.newest[key[0]]

    def lose(self, key: Key) -> None:
        """Whether the session goes on is not known, and no more frames are expected."""
        self.watch.end(key)
        if self.newest.get(key[0]) == key[1] and key not in self.sessions:
            del self.newest[key[0]]

    def is_over(self, session: Session) -> bool:
        """Whether a session that is settled, or over, can be forgotten."""
        over_at = _over_at(session)
        return over_at is not None and over_at <= self.now

    def _look_at(self, key: Key, session: Session, policies: Policies) -> int | None:
        times = (due_at(policies.of(key[0]), session), _over_at(session))
        return min((at for at in times if at is not None), default=None)


def _over_at(session: Session) -> int | None:
    """When a session can be forgotten; none while it goes on or anything is open."""
    incident, takedown, override = session.incident, session.takedown, session.override
    if incident is not None and not incident.closed:
        return None
    if not session.open:
        return session.ended_at + _ENDED_KEPT if session.ended else None
    if session.state in (State.ESCALATED, State.TAKEDOWN_REQUESTED):
        return None
    touched = [incident.touched_at] if incident else []
    touched += [takedown.confirmed_at] if takedown else []
    touched += [max(override.ordered_at, override.until)] if override else []
    return max(touched, default=0) + KEPT
