"""Every stream, gravest first. What is filtered and sorted is in the address, what is searched for
is not: it may be somebody's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web
from yarl import URL

from ..access.roles import Permission
from ..desk import Desk
from ..listing import UNWATCHED, Query, Sort
from ..rendering import html, render
from ..routing import Route, Visit
from ..standing import StreamState

_STATES = (UNWATCHED, *StreamState)
_TEXT_CHARACTERS = 200
_MOST_PAGES = 100_000


def routes(desk: Desk) -> list[Route]:
    """The page, asked for by its address or, with what is searched for, by its form."""

    async def now(visit: Visit) -> web.Response:
        typed = await visit.request.post() if visit.request.method == "POST" else {}
        query = _query(visit.request.query, typed)
        return html(
            render(
                "now.html",
                visit,
                desk,
                query=query,
                listing=desk.read_model.listing(query, visit.now, desk.late_after),
                here=_address(query),
                address=lambda **changed: _address(replace(query, **changed)),
                STATES=_STATES,
            )
        )

    return [
        Route("GET", "/", Permission.VIEW, now),
        Route("POST", "/", Permission.VIEW, now),
    ]


def _query(asked: Mapping[str, str], typed: Mapping[str, Any]) -> Query:
    """What is not understood is as if it was not said: a page has something to show anyway."""
    sort = asked.get("sort", "")
    page, text = str(typed.get("page", "")), typed.get("text", "")
    return Query(
        states=frozenset({asked.get("state", "")} & set(_STATES)),
        drill=True if asked.get("drill") == "only" else None,
        text=str(text)[:_TEXT_CHARACTERS].strip(),
        sort=Sort(sort) if sort in set(Sort) else Sort.GRAVITY,
        turned=asked.get("turned") == "yes",
        page=min(int(page), _MOST_PAGES) if page.isascii() and page.isdigit() else 1,
    )


def _address(query: Query) -> str:
    """Of the page that shows ``query``, but for what is searched for and the page's number."""
    said = {
        "state": next(iter(query.states), ""),
        "drill": "only" if query.drill else "",
        "sort": "" if query.sort is Sort.GRAVITY else query.sort,
        "turned": "yes" if query.turned else "",
    }
    return str(URL("/").with_query({name: value for name, value in said.items() if value}))
