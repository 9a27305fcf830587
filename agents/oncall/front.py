"""What every worker's web server has, whatever its role: sign-in, static files, and a door that is
shut.

Whatever is not one of our routes, such as what Faust itself serves, is refused, so that nothing is
open because somebody forgot it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast

import faust
from aiohttp import web
from faust.web.drivers.aiohttp import Web

from . import static_files
from .access.roles import Permission
from .guard import AccessGuard
from .health import OPEN_PATHS
from .pages import sign_in
from .refusals import Refused, answer, of_error
from .routing import Route, Visit, is_ours, registered
from .routing import register as register_routes
from .server_log import keep_nameless

log = logging.getLogger(__name__)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _nothing(visit: Visit) -> web.StreamResponse:
    raise web.HTTPNotFound


_FIRST_PAGE = "/"
_NOTHING = Route("*", "", Permission.VIEW, _nothing)
"""What is not ours: only who is signed in is told that it is not there."""


def _unserved(request: web.Request) -> web.Response:
    """What is said of what is not here; on a worker that only judges frames, who has it."""
    error = request.match_info.http_exception or web.HTTPNotFound()
    shows = any(it.path == _FIRST_PAGE for it in registered(request.app))
    if error.status == HTTPStatus.NOT_FOUND and not shows:
        return answer(request, Refused.NO_VIEW.value)
    return of_error(request, error)


def register(app: faust.App, guard: AccessGuard) -> None:
    """Shut the door of ``app``, and put up where people sign in, before the server has started."""
    keep_nameless(guard.counts)
    register_routes(app, [*static_files.routes(), *sign_in.routes(guard)], guard)

    @web.middleware
    async def only_what_is_ours(request: web.Request, handler: Answer) -> web.StreamResponse:
        try:
            if is_ours(request) or request.path in OPEN_PATHS:
                return await handler(request)
            admitted = await guard.admit(request, _NOTHING)
            if not isinstance(admitted, Visit):
                return admitted
            return _unserved(request)
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            return of_error(request, error)
        except web.RequestPayloadError:  # such as what says that it is compressed, and is not
            unread = of_error(request, web.HTTPBadRequest(text="What was sent can't be read."))
            unread.force_close()  # where the next request begins is not known
            return unread
        except ConnectionError:
            raise  # whoever asked is gone
        except Exception:
            # The path may be anything; the route's own pattern says which page it was.
            resource = request.match_info.route.resource
            log.exception("%s %s failed", request.method, resource and resource.canonical)
            return answer(request, Refused.FAILED.value)

    cast(Web, app.web).web_app.middlewares.append(only_what_is_ours)
