"""Operations as routes: what was asked is read, and whatever comes of it is JSON, or a file.

What aiohttp raises, such as ``HTTPNotFound``, becomes a problem in ``agents.oncall.front``.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

from ..routing import Route, Visit
from .inputs import read_asked, read_body
from .operations import JSON, AnyOperation, Call
from .problems import Refused, answer


def route_of(operation: AnyOperation) -> Route:
    """The route of ``operation``, which is served here."""

    async def handle(visit: Visit) -> web.StreamResponse:
        try:
            return await _answer(operation, visit)
        except Refused as refused:
            return answer(refused.problem)

    return Route(operation.method, operation.path, operation.permission, handle)


async def _answer(operation: AnyOperation, visit: Visit) -> web.StreamResponse:
    request = visit.request
    asked = read_asked(operation.asks, request.match_info, request.query)
    body = None if operation.body is None else await read_body(request, operation.body)
    assert operation.handle is not None  # noqa: S101  # what others serve gets no route here
    told = await operation.handle(Call(visit, asked, body))
    if isinstance(told, web.StreamResponse):
        return told
    return web.Response(body=msgspec.json.encode(told), status=operation.status, content_type=JSON)
