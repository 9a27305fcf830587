"""Signing in and out.

A one-time link has its token behind ``#``: browsers send that to nobody, so that it is in no log.
A script of ours moves it into the form, and a person presses the button: programs that look at
links before people do, as chats' previews, use nothing up. Without scripts the link is pasted
whole.
"""

from __future__ import annotations

import re
import secrets

from aiohttp import web

from .. import cookies
from ..access.entrance import Session
from ..access.roles import Permission
from ..access.tokens import Refusal
from ..guard import AccessGuard
from ..refusals import Refused, answer
from ..rendering import html, render_bare
from ..routing import Route, Visit

_OURS = re.compile(r"/(?![/\\])[!-\[\]-~]{0,499}")
"""A path of this server's: neither ``//host`` nor ``/\\host``, which browsers take for the same."""
_SESSION_ID_BYTES = 16
_CROSSING = frozenset({"cross-site", "same-site"})


def routes(guard: AccessGuard) -> list[Route]:
    """The page, and what its forms do."""
    entrance, callers, counts = guard.callers.entrance, guard.callers, guard.counts

    def page(visit: Visit, next_path: str, refused: Refusal | None = None) -> web.Response:
        # A link from elsewhere, such as a chat, comes without the cookie of who is signed in.
        # Leading on from a page of ours brings it.
        came_from = visit.request.headers.get("Sec-Fetch-Site")
        leads_on = visit.person is None and not refused and "next" in visit.request.query
        text = render_bare(
            "sign_in.html",
            person=visit.person,
            csrf=visit.csrf,
            next_path=next_path,
            refused=refused,
            leads_on=leads_on and came_from in _CROSSING,
            by_token=entrance.tokens.on,
            by_proxy=bool(callers.proxies.networks),
        )
        return html(text, 401 if refused else 200)

    async def ask(visit: Visit) -> web.Response:
        return page(visit, local(visit.request.query.get("next", "")))

    async def enter(visit: Visit) -> web.Response:
        try:
            form = await visit.request.post()
        except (ValueError, LookupError):  # bytes that are no text, in a charset that is none
            raise web.HTTPBadRequest from None
        given, next_path = (str(form.get(name, "")) for name in ("token", "next"))
        token = given.strip().rpartition("#")[2]
        session = entrance.enter(token, visit.now, secrets.token_urlsafe(_SESSION_ID_BYTES))
        if not isinstance(session, Session):
            counts[f"web sign-in refused {session.name.lower()}"] += 1
            return page(visit, local(next_path), session)
        counts["web signed in"] += 1
        response = _led_to(local(next_path))
        cookies.give(response, session, callers.of(visit.request, visit.now).secure, visit.now)
        return response

    async def leave(visit: Visit) -> web.StreamResponse:
        caller = callers.of(visit.request, visit.now)
        held = visit.request.cookies.get(cookies.name(caller.secure))
        if held is None:
            return answer(visit.request, Refused.NO_SESSION.value)
        entrance.leave(held, visit.now)
        response = _led_to("/sign-in")
        cookies.take_back(response, caller.secure)
        return response

    return [
        Route("GET", "/sign-in", Permission.OPEN, ask),
        Route("POST", "/sign-in", Permission.OPEN, enter),
        Route("POST", "/sign-out", Permission.VIEW, leave),
    ]


def local(path: str) -> str:
    """``path`` if it is one of this server's, else the first page."""
    return path if _OURS.fullmatch(path) else "/"


def _led_to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
