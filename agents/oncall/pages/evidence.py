"""The evidence of a stream: pictures, each on record before it is given out, and reasons for them.

==========================================  ====================================================
``/streams/{handle}/evidence/{name}``       the picture as the organisation shows it first
``/streams/{handle}/evidence/{name}/plain`` the picture as it is, once there is a reason
``/streams/{handle}/frames/{name}``         the page of one frame, which asks for the reason
==========================================  ====================================================
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from aiohttp import web

from ..access.roles import Permission
from ..bounds import TEXT_CHARACTERS
from ..desk import Desk
from ..evidence import Cited, cited
from ..forms import REASON, Problems, read_reason
from ..handles import page_of
from ..past import Past, incident_at, read_past, session_at, stream_at
from ..pictures import CONTENT_TYPE
from ..ports import NotDecodable, Unavailable
from ..rendering import html, render
from ..routing import Route, Visit
from ..viewing import SHOWN_BY_DEFAULT, Asking, Kind, NotWrittenDown

_LINE = 44
"""Characters of a line in a picture of words."""
_LINES = 8


def routes(desk: Desk) -> list[Route]:
    """Pictures, and the page of one."""
    viewing = desk.sources.viewing

    async def first(visit: Visit) -> web.Response:
        past, one = await _cited(desk, visit)
        kind = Kind.VEILED if viewing.veiled_first else Kind.PLAIN
        reason = "" if viewing.veiled_first else SHOWN_BY_DEFAULT
        return await _picture(desk, one, kind, _asking(visit, past, reason))

    async def plain(visit: Visit) -> web.Response:
        past, one = await _cited(desk, visit)
        asking = _asking(visit, past, "")
        reason = viewing.reasons.holding(asking.person, _incident(visit, past), visit.now)
        if not reason:
            return _in_words("Not shown: say why you need to see it first.", 403)
        return await _picture(desk, one, Kind.PLAIN, _asking(visit, past, reason))

    async def frame(visit: Visit) -> web.Response:
        past, one = await _cited(desk, visit)
        return _frame_page(desk, visit, past, one)

    async def give_reason(visit: Visit) -> web.Response:
        past, one = await _cited(desk, visit)
        posted = await visit.request.post()
        typed = {name: value for name, value in posted.items() if isinstance(value, str)}
        reason, wrong = read_reason(typed)
        if wrong:
            return _frame_page(
                desk, visit, past, one, problems={REASON: wrong}, typed=reason, status=422
            )
        viewing.reasons.give(_name(visit), _incident(visit, past), reason, visit.now)
        raise web.HTTPSeeOther(_within(visit)(f"/frames/{one.name}"))

    picture, page = "/streams/{handle}/evidence/{name}", "/streams/{handle}/frames/{name}"
    return [
        Route("GET", picture, Permission.EVIDENCE, first),
        Route("GET", f"{picture}/plain", Permission.EVIDENCE, plain),
        Route("GET", page, Permission.EVIDENCE, frame),
        Route("POST", page, Permission.EVIDENCE, give_reason),
    ]


async def _cited(desk: Desk, visit: Visit) -> tuple[Past, Cited]:
    """The frame that the path names, if something of the stream points at it: others' frames are
    not to be had by their coordinates. Raises ``HTTPNotFound``."""
    stream = stream_at(desk, visit)
    past = await read_past(desk, stream, visit.now, session_at(visit, stream))
    found = cited(past.grounds).get(visit.path("name"))
    if found is None:
        raise web.HTTPNotFound(text="No decision about this stream, and no risk, rests on it.")
    return past, found


async def _picture(desk: Desk, one: Cited, kind: Kind, asking: Asking) -> web.Response:
    try:
        picture = await desk.sources.viewing.picture(one, kind, asking)
    except Unavailable as error:
        return _in_words(f"There is no picture: {error}.", 404)
    except NotDecodable as error:
        return _in_words(f"No picture can be made of it: {error}.", 422)
    except NotWrittenDown as error:
        return _in_words(
            f"Not shown: it could not be put on record that you asked for it ({error}).", 503
        )
    return web.Response(body=picture.jpeg, content_type=CONTENT_TYPE)


def _in_words(said: str, status: int) -> web.Response:
    """``said`` as a picture: what stands in a picture's place is not left blank."""
    lines: list[str] = []
    line = ""
    for word in said.split():
        if line and len(line) + len(word) >= _LINE:
            lines, line = [*lines, line], word[:_LINE]
        else:
            line = f"{line} {word[:_LINE]}".strip()
    spans = "".join(
        f'<tspan x="12" dy="1.3em">{escape(it)}</tspan>' for it in [*lines, line][:_LINES]
    )
    body = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180" viewBox="0 0 320 180">'
        '<rect width="320" height="180" fill="#e8ebed"/>'
        f'<text y="14" font-family="sans-serif" font-size="13" fill="#1c2529">{spans}</text></svg>'
    )
    return web.Response(text=body, status=status, content_type="image/svg+xml")


def _frame_page(
    desk: Desk,
    visit: Visit,
    past: Past,
    one: Cited,
    *,
    problems: Problems | None = None,
    typed: str = "",
    status: int = 200,
) -> web.Response:
    viewing = desk.sources.viewing
    return html(
        render(
            "frame.html",
            visit,
            desk,
            within=_within(visit),
            stream_id=past.stream_id,
            frame=one,
            others=list(cited(past.grounds).values()),
            reason=viewing.reasons.holding(_name(visit), _incident(visit, past), visit.now),
            veiled_first=viewing.veiled_first,
            problems=problems or {},
            typed=typed,
            reason_characters=TEXT_CHARACTERS,
        ),
        status,
    )


def _within(visit: Visit) -> Callable[[str], str]:
    """Addresses below the stream's page, of the session that the visit is about."""
    return lambda path: page_of(f"{visit.path('handle')}{path}", incident_at(visit))


def _asking(visit: Visit, past: Past, reason: str) -> Asking:
    return Asking(_name(visit), _incident_id(past), past.stream_id, reason, visit.now)


def _incident(visit: Visit, past: Past) -> str:
    """What a reason is for: the incident, or the stream while there is none."""
    return _incident_id(past) or visit.path("handle")


def _incident_id(past: Past) -> str:
    return past.session.incident_id


def _name(visit: Visit) -> str:
    return visit.person.name if visit.person is not None else ""
