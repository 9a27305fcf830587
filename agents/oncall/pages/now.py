"""Every stream, gravest first. What is filtered and sorted, and the page's number, are in the
address; what is searched for is not: it may be somebody's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web
from yarl import URL

from ..access.roles import Permission
from ..desk import Desk
from ..listing import UNWATCHED, Listing, Query, Sort
from ..rendering import html, render
from ..routing import Route, Visit
from ..sharing import Shared
from ..standing import StreamState

_STATES = (UNWATCHED, *StreamState)
_TEXT_CHARACTERS = 200
_DIGITS = 5
"""Of the page's number."""


def routes(desk: Desk) -> list[Route]:
    """The page, asked for by its address or, with what is searched for, by its form."""
    listings: Shared[Listing] = Shared()
    parts: Shared[str] = Shared()

    def listed(query: Query, now: int) -> Listing:
        def make() -> Listing:
            return desk.read_model.listing(query, now, desk.late_after)

        return listings.get(query, (desk.read_model.news, desk.late_after), now, make)

    def page(visit: Visit, query: Query) -> str:
        return render(
            "now.html",
            visit,
            desk,
            query=query,
            listing=listed(query, visit.now),
            here=_address(query),
            address=lambda **changed: _address(replace(query, **{"page": 1, **changed})),
            STATES=_STATES,
            UNWATCHED=UNWATCHED,
        )

    async def now(visit: Visit) -> web.Response:
        typed = await visit.request.post() if visit.request.method == "POST" else {}
        query = _query(visit.request.query, typed, visit.partial)
        if not visit.partial:
            return html(page(visit, query))
        # What an open page renews is the same for all who look: it is made for nobody in person.
        anybody = replace(visit, person=None, csrf="")
        said = render("banners.html", anybody, desk)
        rests_on = desk.read_model.news, said
        return html(parts.get(query, rests_on, visit.now, lambda: page(anybody, query)))

    return [
        Route("GET", "/", Permission.VIEW, now),
        Route("POST", "/", Permission.VIEW, now),
    ]


def _query(asked: Mapping[str, str], typed: Mapping[str, Any], renews: bool) -> Query:
    """What is not understood is as if it was not said: a page has something to show anyway.

    A page that renews itself asks for what it was searched by, whatever is being typed meanwhile.
    What was searched by anything else has its first page first.
    """
    sort, page = asked.get("sort", ""), asked.get("page", "")
    searched, text = (_text(typed.get(name, "")) for name in ("searched", "text"))
    if renews:
        text = searched
    return Query(
        states=frozenset({asked.get("state", "")} & set(_STATES)),
        drill=True if asked.get("drill") == "only" else None,
        text=text,
        sort=Sort(sort) if sort in set(Sort) else Sort.GRAVITY,
        turned=asked.get("turned") == "yes",
        page=_number(page) if text == searched else 1,
    )


def _number(page: str) -> int:
    # Of longer ones int() takes its time, or refuses them.
    return max(int(page[:_DIGITS]), 1) if page.isascii() and page.isdigit() else 1


def _text(typed: Any) -> str:
    return str(typed)[:_TEXT_CHARACTERS].strip()


def _address(query: Query) -> str:
    """Of the page that shows ``query``, but for what is searched for."""
    said = {
        "state": next(iter(query.states), ""),
        "drill": "only" if query.drill else "",
        "sort": "" if query.sort is Sort.GRAVITY else query.sort,
        "turned": "yes" if query.turned else "",
        "page": str(query.page) if query.page > 1 else "",
    }
    return str(URL("/").with_query({name: value for name, value in said.items() if value}))
