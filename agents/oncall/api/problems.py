"""Refusals of operations, as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from aiohttp import web

PROBLEM = "application/problem+json"


class Wrong(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with what was asked."""

    detail: str
    pointer: str = ""
    """Where in the body, as a JSON Pointer in a fragment (``#/reason``)."""
    parameter: str = ""
    """Which parameter of the path or the query."""


class Problem(msgspec.Struct, frozen=True):
    """Why nothing came of a request."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    reason: str = ""
    """For programs: a word that stays."""
    errors: list[Wrong] = []
    """Each thing that is wrong, where it is known which."""


class Refused(Exception):
    """An operation's refusal. What it says is for whoever asked, and names no stream."""

    def __init__(
        self, status: HTTPStatus, detail: str, reason: str, errors: Sequence[Wrong] = ()
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(
            title=status.phrase,
            status=status.value,
            detail=detail,
            reason=reason,
            errors=list(errors),
        )


def not_found(what: str) -> Refused:
    """That ``what`` is not known here."""
    return Refused(HTTPStatus.NOT_FOUND, f"No such {what} is known to this worker.", "not-found")


def invalid(errors: Sequence[Wrong]) -> Refused:
    """That what was asked is well-formed, and not what can be asked."""
    detail = "; ".join(it.detail for it in errors)
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, detail, "invalid", errors)


def unavailable(detail: str) -> Refused:
    """That it can't be had now."""
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, detail, "unavailable")


def answer(problem: Problem) -> web.Response:
    """``problem`` as it goes out."""
    return web.Response(
        body=msgspec.json.encode(problem), status=problem.status, content_type=PROBLEM
    )
