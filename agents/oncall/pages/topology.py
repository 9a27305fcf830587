"""The topology: agents, topics and workers as they are now, and the dead letters.

==================================  ============================================================
``/topology``                       all of it; ``cause``, ``topic``, ``stream`` choose letters
``/topology/letters/{letter}``      one dead letter, with what may be shown of its record
``/topology/redrive``               what putting records back would do, and the form that does it
``/topology/redrives/{order}``      what became of that
==================================  ============================================================
"""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import web

from ..access.roles import Permission
from ..asking import name_of, typed_in
from ..bounds import TEXT_CHARACTERS
from ..desk import Desk
from ..forms import ORDER_ID, REASON, Problems, is_order_id, read_reason
from ..graph import SHORT
from ..letters import Letter, Wanted, redrivable
from ..ports import Unavailable
from ..redriving import MOST_AT_ONCE, NOT_DONE, UNDO, NotPutBack, RedriveOrder, foretell_redrive
from ..rendering import html, render
from ..routing import Route, Visit
from ..topology import topology_of

LETTERS_SHOWN = 50
_LETTERS = "letters"
_DAMAGED = "The form is not one of ours, or is damaged. Open it anew."


def routes(desk: Desk) -> list[Route]:
    """The page, one letter, and redriving."""

    async def whole(visit: Visit) -> web.Response:
        letters = desk.read_model.letters
        wanted = wanted_by(visit)
        found = letters.wanted(wanted)
        return html(
            render(
                "topology.html",
                visit,
                desk,
                topology=topology_of(desk.read_model.workers.now(visit.now)),
                letters=letters,
                wanted=wanted,
                found=found,
                shown=found[:LETTERS_SHOWN],
                redrivable=len(redrivable(found, MOST_AT_ONCE)),
                address=_address,
                short=SHORT,
            )
        )

    async def letter(visit: Visit) -> web.Response:
        found = letter_at(desk, visit)
        preview, missing = None, ""
        try:
            preview = await desk.dead_letters.preview(found)
        except Unavailable as error:
            missing = str(error)
        return html(
            render("letter.html", visit, desk, letter=found, preview=preview, missing=missing)
        )

    async def ask(visit: Visit) -> web.Response:
        return _ask(desk, visit, _chosen(desk, visit), {})

    async def send(visit: Visit) -> web.Response:
        typed = await typed_in(visit)
        letters = [it for it in _named(desk, typed.get(_LETTERS, "")) if it.redrivable]
        reason, wrong = read_reason(typed)
        problems = {REASON: wrong} if wrong else {}
        if not is_order_id(typed.get(ORDER_ID, "")):
            problems[ORDER_ID] = _DAMAGED
        known = desk.read_model.letters.ordered(typed.get(ORDER_ID, "")) is not None
        if problems or not (letters or known):
            return _ask(desk, visit, letters, typed, problems=problems, status=422)
        order = RedriveOrder(typed[ORDER_ID], name_of(visit), reason, letters)
        outcome = {"sent": 0, "gone": 0, "left": 0}
        if not known:
            try:
                done = await desk.dead_letters.put_back(order)
            except NotPutBack as error:
                return _ask(desk, visit, letters, typed, unsent=str(error), status=503)
            outcome = {"sent": done.redriven, "gone": done.gone, "left": done.left}
        raise web.HTTPSeeOther(f"/topology/redrives/{order.order_id}?{urlencode(outcome)}")

    async def became(visit: Visit) -> web.Response:
        order_id = visit.path("order")
        if not is_order_id(order_id):
            raise web.HTTPNotFound
        return html(
            render(
                "redrive_order.html",
                visit,
                desk,
                order_id=order_id,
                came_back=desk.read_model.letters.ordered(order_id),
                sent=_count(visit, "sent"),
                gone=_count(visit, "gone"),
                left=_count(visit, "left"),
            )
        )

    return [
        Route("GET", "/topology", Permission.VIEW, whole),
        Route("GET", "/topology/letters/{letter}", Permission.EVIDENCE, letter),
        Route("GET", "/topology/redrive", Permission.CONTROL, ask),
        Route("POST", "/topology/redrive", Permission.CONTROL, send),
        Route("GET", "/topology/redrives/{order}", Permission.VIEW, became),
    ]


def wanted_by(visit: Visit) -> Wanted:
    """The letters that the address asks for."""
    query = visit.request.query
    return Wanted(query.get("cause", ""), query.get("topic", ""), query.get("stream", ""))


def letter_at(desk: Desk, visit: Visit) -> Letter:
    """The letter that the path names. Raises ``HTTPNotFound``."""
    found = desk.read_model.letters.get(visit.path("letter"))
    if found is None:
        raise web.HTTPNotFound(text="No such dead letter is among the newest.")
    return found


def _address(where: str, wanted: Wanted, **changed: str) -> str:
    """``where`` with what is ``wanted``, or ``changed`` of it."""
    asked = {"cause": wanted.cause, "topic": wanted.topic, "stream": wanted.stream, **changed}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{where}?{query}" if query else where


def _chosen(desk: Desk, visit: Visit) -> list[Letter]:
    """The letters that the link is about: one, or all of a kind."""
    if (name := visit.request.query.get("letter")) is not None:
        return [it for it in _named(desk, name) if it.redrivable]
    return redrivable(desk.read_model.letters.wanted(wanted_by(visit)), MOST_AT_ONCE)


def _named(desk: Desk, names: str) -> list[Letter]:
    """The letters of these ids, which are apart by spaces, that are known."""
    found = (desk.read_model.letters.get(it) for it in names.split()[:MOST_AT_ONCE])
    return [it for it in found if it is not None]


def _ask(
    desk: Desk,
    visit: Visit,
    letters: list[Letter],
    typed: dict[str, str],
    *,
    problems: Problems | None = None,
    unsent: str = "",
    status: int = 200,
) -> web.Response:
    """The form, with exactly the letters that it puts back, and what is wrong with it."""
    known_id = typed.get(ORDER_ID, "")
    return html(
        render(
            "redrive.html",
            visit,
            desk,
            letters=letters,
            follows=foretell_redrive(letters, SHORT),
            not_done=NOT_DONE,
            undo=UNDO,
            short=SHORT,
            order_id=known_id if is_order_id(known_id) else str(uuid4()),
            typed=typed,
            problems=problems or {},
            unsent=unsent,
            most=MOST_AT_ONCE,
            reason_characters=TEXT_CHARACTERS,
        ),
        status,
    )


def _count(visit: Visit, name: str) -> int | None:
    """How many, as the address says; it says so on no other's word."""
    text = visit.request.query.get(name, "")
    few = text.isascii() and text.isdigit() and len(text) <= len(str(MOST_AT_ONCE))
    return int(text) if few else None
