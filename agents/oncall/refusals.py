"""Saying no: a page to people, a problem (RFC 9457) to programs, under ``/api/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from aiohttp import web

from .rendering import html, render_bare

_PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a refusal."""

    reason: str
    """For programs and counts: a word that stays."""
    status: HTTPStatus
    title: str
    detail: str
    leads_home: bool = True
    """Whether there is a first page to go to."""


class Refused(Enum):
    """Why a request was not let in."""

    NOT_SIGNED_IN = About(
        "not-signed-in", HTTPStatus.UNAUTHORIZED, "Sign in first", "Nothing here is open to all."
    )
    TOKEN = About(
        "token",
        HTTPStatus.UNAUTHORIZED,
        "Not signed in",
        "The token that was sent is not one of ours, or has expired.",
    )
    PROXY = About(
        "proxy",
        HTTPStatus.FORBIDDEN,
        "The proxy did not say who you are",
        "Its headers name nobody, or more than one person.",
    )
    GROUPS = About(
        "groups",
        HTTPStatus.FORBIDDEN,
        "You have no role here",
        "None of the groups that the proxy names has one (FIREBREAK_WEB_PROXY_ROLES).",
    )
    ROLE = About(
        "role",
        HTTPStatus.FORBIDDEN,
        "Your role does not allow this",
        "Viewers see streams and decisions, responders also evidence, and act on streams; "
        "admins act on everything.",
    )
    FORGED = About(
        "csrf",
        HTTPStatus.FORBIDDEN,
        "Nothing was done",
        "The form is not from a page of yours, or is from before you signed in. Open it anew.",
    )
    NO_SESSION = About(
        "no-session",
        HTTPStatus.CONFLICT,
        "There is no session to end",
        "A proxy or a token says who you are. Sign out there.",
    )
    TOO_MANY = About(
        "too-many",
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        "Wait a moment, and try again.",
    )
    NO_VIEW = About(
        "no-view",
        HTTPStatus.NOT_FOUND,
        "This worker serves no view",
        "You are signed in, and it only judges frames. Judgement workers show the streams, the "
        "incidents and the rest: ask for the same at the address of one of them.",
        leads_home=False,
    )
    FAILED = About(
        "failed",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "This page failed",
        "It is on the worker's log. Watching and deciding don't depend on this page.",
    )


_SAID_OF_ERRORS = {
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.METHOD_NOT_ALLOWED: "That can't be done with this address",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too long",
}


def wants_problem(request: web.Request) -> bool:
    """Whether a program is asking."""
    return request.path.startswith("/api/")


def answer(
    request: web.Request, about: About, headers: Mapping[str, str] | None = None
) -> web.Response:
    """``about`` as what the one who asks can read."""
    if not wants_problem(request):
        page = html(render_bare("refused.html", about=about), about.status)
        page.headers.update(headers or {})
        return page
    return problem(about, headers)


def problem(about: About, headers: Mapping[str, str] | None = None) -> web.Response:
    """``about`` as programs read it."""
    told = {
        "type": "about:blank",
        "title": about.title,
        "status": about.status,
        "detail": about.detail,
        "reason": about.reason,
    }
    return web.Response(
        text=json.dumps(told), status=about.status, content_type=_PROBLEM, headers=headers
    )


def of_error(request: web.Request, error: web.HTTPException) -> web.Response:
    """What a page or an operation raised, such as ``HTTPNotFound``, said in the same way.

    ``text`` that was given to it is said as the detail; aiohttp's own words are not.
    """
    status = HTTPStatus(error.status)
    own = f"{error.status}: {error.reason}"
    about = About(
        status.phrase.lower().replace(" ", "-"),
        status,
        _SAID_OF_ERRORS.get(status, status.phrase),
        error.text if error.text and error.text != own else "",
    )
    kept = {
        name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After")
    }
    return answer(request, about, kept)
