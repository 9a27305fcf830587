"""The session's cookie. No script sees it, no other site's page makes a browser send it."""

from __future__ import annotations

from aiohttp import web

from schemas import MICROSECONDS

from .access.entrance import Session

_NAME = "firebreak"


def name(secure: bool) -> str:
    """``__Host-`` where it came by HTTPS: no other host, path or plain connection can set it."""
    return f"__Host-{_NAME}" if secure else _NAME


def give(response: web.StreamResponse, session: Session, secure: bool, now: int) -> None:
    """Put ``session`` into the browser, until it expires."""
    response.set_cookie(
        name(secure),
        session.token,
        max_age=(session.grant.expires_at - now) // MICROSECONDS,
        path="/",
        secure=secure,
        httponly=True,
        samesite="Strict",
    )


def take_back(response: web.StreamResponse, secure: bool) -> None:
    """Take the session out of the browser."""
    response.del_cookie(name(secure), path="/", secure=secure, httponly=True, samesite="Strict")
