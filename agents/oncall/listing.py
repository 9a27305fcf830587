"""Streams as people ask for them: which, in which order, and which page of them. Pure."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .rows import StreamRow, change_of, row_of, viewers_of
from .sessions import NEVER, Session
from .standing import StreamState, unwatched_of
from .streams import Stream, Waiting, gravity

PER_PAGE = 50
MOST_PER_PAGE = 200
UNWATCHED = "unwatched"
"""Asked for, or counted, beside the states: a stream may be both."""
_FIRST = float("-inf")


class Sort(StrEnum):
    """What streams are sorted by; the most of it first, unless it is turned round."""

    GRAVITY = "gravity"
    """Unwatched ones first, then the gravest, live ones, by risk, by id: ``streams.gravity``."""
    RISK = "risk"
    TREND = "trend"
    VIEWERS = "viewers"
    AGE = "age"
    """Of the newest frame that was judged."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which streams; what is not said does not matter. ``page`` counts from 1."""

    states: frozenset[str] = frozenset()
    """``StreamState``'s values, and ``UNWATCHED``; any of them."""
    drill: bool | None = None
    region: str = ""
    severity: str = ""
    held: bool | None = None
    """Whether somebody has the incident in hand."""
    text: str = ""
    """Part of the stream's, its session's or its incident's id, or of the rule; in any case."""
    sort: Sort = Sort.GRAVITY
    turned: bool = False
    page: int = 1
    per_page: int = PER_PAGE


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of streams."""

    rows: list[StreamRow]
    total: int
    """Of the streams that were asked for, on all pages."""
    known: int
    counts: Mapping[str, int]
    """Of all that are known, by state, and ``UNWATCHED``."""
    page: int
    pages: int


class _Standing(NamedTuple):
    stream: Stream
    session: Session
    state: StreamState
    watched: bool
    waiting: Sequence[Waiting]


def list_streams(
    streams: Iterable[Stream], query: Query, now: int, late_after: int | None
) -> Listing:
    """The page that ``query`` asks for, as of ``now``; see ``standing.unwatched_of``.

    Rows are made of those alone that are on the page. A page behind the last is the last.
    """
    counts: Counter[str] = Counter()
    chosen = []
    text = query.text.casefold()
    for stream in streams:
        session, _, state = stream.standing(now)
        watched = unwatched_of(session, state, now, late_after) is None
        counts[state] += 1
        counts[UNWATCHED] += not watched
        standing = _Standing(stream, session, state, watched, stream.waiting(now))
        if _is_asked_for(standing, query) and (not text or _has(standing, text)):
            chosen.append(standing)
    pages = max(-(-len(chosen) // query.per_page), 1)
    page = min(max(query.page, 1), pages)
    pick = heapq.nlargest if query.turned else heapq.nsmallest
    first = (page - 1) * query.per_page
    shown = pick(first + query.per_page, chosen, key=_ORDER[query.sort])[first:]
    return Listing(
        rows=[row_of(it.stream, now, late_after) for it in shown],
        total=len(chosen),
        known=counts.total() - counts[UNWATCHED],
        counts=dict(counts),
        page=page,
        pages=pages,
    )


def _is_asked_for(it: _Standing, query: Query) -> bool:
    session = it.session
    if query.states and not (
        it.state in query.states or (UNWATCHED in query.states and not it.watched)
    ):
        return False
    if query.drill is not None and bool(session.drill) is not query.drill:
        return False
    if query.region and session.region != query.region:
        return False
    raised = session.raised.event if session.raised else None
    if query.severity and (raised is None or raised.severity != query.severity):
        return False
    return query.held is None or bool(session.holder) is query.held


def _has(it: _Standing, text: str) -> bool:
    stream = it.stream
    if text in stream.stream_id.casefold():
        return True
    sessions = [it.session, *(earlier.session for earlier in it.waiting)]
    decided = [found.event for each in sessions for found in (each.takedown, each.raised) if found]
    return any(text in each.casefold() for each in stream.sessions) or any(
        text in each.incident_id.casefold() or text in each.rule.casefold() for each in decided
    )


def _by_gravity(it: _Standing) -> tuple[object, ...]:
    return gravity(it.stream.stream_id, it.session, it.state, it.watched, it.waiting)


def _by_risk(it: _Standing) -> tuple[object, ...]:
    return -(it.session.risk or 0.0), it.stream.stream_id


def _by_trend(it: _Standing) -> tuple[object, ...]:
    return -(change_of(it.session, it.state) or 0.0), it.stream.stream_id


def _by_viewers(it: _Standing) -> tuple[object, ...]:
    return -(viewers_of(it.session) or 0), it.stream.stream_id


def _by_age(it: _Standing) -> tuple[object, ...]:
    newest = it.session.newest_appended_at
    return _FIRST if newest == NEVER else newest, it.stream.stream_id


_ORDER: Mapping[Sort, Callable[[_Standing], tuple[object, ...]]] = {
    Sort.GRAVITY: _by_gravity,
    Sort.RISK: _by_risk,
    Sort.TREND: _by_trend,
    Sort.VIEWERS: _by_viewers,
    Sort.AGE: _by_age,
}
