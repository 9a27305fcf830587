"""The on-call view's routes: what each is, what it asks for, and how it gets onto Faust's server.

Pages and operations are lists of routes. Nobody but ``register`` puts one on the server, so that
each is behind the guard, and none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, cast

import faust
from aiohttp import web
from faust.web.drivers.aiohttp import Web

from .access.roles import Permission, Person


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, by somebody who may make it."""

    request: web.Request
    person: Person | None
    """``None`` where the route is open and nobody signed in."""
    now: int
    """The wall clock, in microseconds since the epoch."""
    csrf: str = ""
    """What the forms of a page that answers this carry, as their field ``csrf``."""

    @property
    def partial(self) -> bool:
        """Whether a page that is open asks for what changes, and not for the whole of it."""
        return self.request.headers.get("HX-Request") == "true"

    def path(self, name: str) -> str:
        """The part of the path that the route calls ``name``."""
        return self.request.match_info[name]

    def may(self, permission: Permission) -> bool:
        """Whether the visitor may do what asks for ``permission``."""
        return self.person is not None and self.person.may(permission)


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Handle = Callable[[Visit], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a method at a path, which may have ``{parts}``."""

    method: str
    path: str
    permission: Permission
    handle: Handle


_OURS: web.AppKey[dict[Answer, Route]] = web.AppKey("routes behind the guard", dict)


class Guard(Protocol):
    """Lets requests in."""

    async def admit(self, request: web.Request, route: Route) -> Visit | web.StreamResponse:
        """The visit that ``request`` may make of ``route``, or the refusal."""


def register(app: faust.App, routes: Iterable[Route], guard: Guard) -> None:
    """Serve ``routes`` from ``app``, before its web server has started.

    They go in at once, ahead of Faust's own index, which is added as the server starts: of two
    routes for ``/`` the first wins.
    """
    server = cast(Web, app.web).web_app
    ours = server.setdefault(_OURS, {})
    for route in routes:
        answer = _guarded(route, guard)
        ours[answer] = route
        server.router.add_route(route.method, route.path, answer)


def is_ours(request: web.Request) -> bool:
    """Whether what answers ``request`` is a route that was registered here, behind its guard."""
    return request.match_info.handler in request.app.get(_OURS, ())


def registered(server: web.Application) -> list[Route]:
    """All routes of ``server`` that are behind the guard."""
    return list(server.get(_OURS, {}).values())


def _guarded(route: Route, guard: Guard) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        admitted = await guard.admit(request, route)
        return await route.handle(admitted) if isinstance(admitted, Visit) else admitted

    return answer
