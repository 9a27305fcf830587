"""Streams: those that are asked for, and one of them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..access.roles import Permission
from ..bounds import TEXT_CHARACTERS
from ..desk import Desk
from ..incidents import incidents_of
from ..listing import MOST_PER_PAGE, UNWATCHED, Query, Sort
from ..rows import row_of
from ..standing import StreamState
from .operations import AnyOperation, Call, NothingAsked, Operation
from .sessions import asked_of
from .views import FeedTold, HeldBack, StreamsTold, StreamTold
from .words import OfSession, Page, Severity

TAG = "streams"


class StreamsAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which streams; what is not said does not matter."""

    state: Annotated[list[StreamState], Meta(max_length=20, description="Any of them.")] = []
    unwatched: Annotated[
        bool, Meta(description="Those that are unwatched, whatever their state, as well.")
    ] = False
    drill: bool | UnsetType = UNSET
    region: Annotated[str, Meta(max_length=64)] = ""
    severity: Severity | UnsetType = UNSET
    held: Annotated[bool, Meta(description="Whether somebody has the incident in hand.")] | (
        UnsetType
    ) = UNSET
    sort: Sort = Sort.GRAVITY
    reverse: Annotated[bool, Meta(description="The least of it first.")] = False
    page: Page = 1
    per_page: Annotated[int, Meta(ge=1, le=MOST_PER_PAGE)] = MOST_PER_PAGE


class StreamsSearched(StreamsAsked, frozen=True, forbid_unknown_fields=True):
    """Which streams, by text too: it may name somebody, so it is not in an address."""

    text: Annotated[
        str,
        Meta(
            max_length=TEXT_CHARACTERS,
            description="Part of the stream's, its session's or its incident's id, or of the "
            "rule; in any case.",
        ),
    ] = ""


def operations(desk: Desk) -> list[AnyOperation]:
    """The list, the search, and one stream."""

    async def streams(call: Call[StreamsAsked, None]) -> StreamsTold:
        return _told(desk, call.asked, "", call.visit.now)

    async def search(call: Call[NothingAsked, StreamsSearched]) -> StreamsTold:
        return _told(desk, call.body, call.body.text, call.visit.now)

    async def stream(call: Call[OfSession, None]) -> StreamTold:
        now, (found, session) = call.visit.now, asked_of(desk, call.asked)
        row = row_of(found, now, desk.late_after, session.session_id if session else None)
        return StreamTold(now, row, list(incidents_of(found, now)))

    where = "/api/v1/streams"
    return [
        Operation(
            "listStreams",
            "GET",
            where,
            Permission.VIEW,
            "Streams by risk, and how it stands with the whole.",
            TAG,
            StreamsTold,
            StreamsAsked,
            streams,
        ),
        Operation(
            "searchStreams",
            "POST",
            f"{where}/search",
            Permission.VIEW,
            "Streams by text: it may name somebody, so it is not in an address.",
            TAG,
            StreamsTold,
            NothingAsked,
            search,
            StreamsSearched,
        ),
        Operation(
            "getStream",
            "GET",
            f"{where}/{{handle}}",
            Permission.VIEW,
            "One session of a stream, and the incidents of all of them.",
            TAG,
            StreamTold,
            OfSession,
            stream,
        ),
    ]


def _told(desk: Desk, asked: StreamsAsked, text: str, now: int) -> StreamsTold:
    states = {*asked.state, *([UNWATCHED] if asked.unwatched else [])}
    query = Query(
        states=frozenset(states),
        drill=None if asked.drill is UNSET else asked.drill,
        region=asked.region,
        severity="" if asked.severity is UNSET else asked.severity,
        held=None if asked.held is UNSET else asked.held,
        text=text,
        sort=asked.sort,
        turned=asked.reverse,
        page=asked.page,
        per_page=asked.per_page,
    )
    read_model, feed = desk.read_model, desk.feed
    found = read_model.listing(query, now, desk.late_after)
    return StreamsTold(
        as_of=now,
        feed=FeedTold(feed.progress, feed.last_error, feed.undecodable),
        held_back=held_back(desk),
        alerts=read_model.alerts(),
        counters=read_model.counters(),
        streams_known=found.known,
        counts=found.counts,
        total=found.total,
        page=found.page,
        pages=found.pages,
        streams=found.rows,
    )


def held_back(desk: Desk) -> HeldBack:
    """What holds takedowns back everywhere."""
    return msgspec.convert(desk.held_back(), HeldBack)
