"""The queue of incidents: what waits for an answer, who has it in hand, and what can be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from aiohttp import web
from yarl import URL

from ..access.roles import Permission
from ..asking import name_of
from ..desk import Desk
from ..handles import INCIDENT
from ..incidents import SEVERITIES, Incident, Wanted, choose
from ..orders import ORDERS
from ..rendering import html, render
from ..routing import Route, Visit
from ..sharing import Shared
from .acting import MYSELF

SHOWN = 200
_HELD = ("me", "nobody")
_DRILLS = {"only": True, "none": False}


class Offer(NamedTuple):
    """An order of an incident, as a link."""

    label: str
    key: str
    """Which key gives it while the incident has the focus."""
    href: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; empty where it does not matter."""

    severity: str = ""
    held: str = ""
    """``me`` or ``nobody``: nobody's name is in an address."""
    drill: str = ""
    """``only`` or ``none``."""
    closed: bool = False

    def wanted(self, person: str) -> Wanted:
        """The same for the read model, asked by ``person``."""
        held_by = {"me": person, "nobody": ""}.get(self.held)
        return Wanted(self.closed, self.severity, held_by, _DRILLS.get(self.drill))

    def address(self, **changed: str) -> str:
        """Of the page that shows this, with what is ``changed``."""
        said = {
            "severity": self.severity,
            "held": self.held,
            "drill": self.drill,
            "closed": "yes" if self.closed else "",
            **changed,
        }
        query = {name: value for name, value in said.items() if value}
        return str(URL("/incidents").with_query(query))


def routes(desk: Desk) -> list[Route]:
    """The page."""
    shared: Shared[list[Incident]] = Shared()

    def listed(closed: bool, now: int) -> list[Incident]:
        def make() -> list[Incident]:
            return desk.read_model.incidents(Wanted(closed=closed), now)

        return shared.get(closed, desk.read_model.news, now, make)

    async def incidents(visit: Visit) -> web.Response:
        asked, person = _read(visit.request.query), name_of(visit)
        found = choose(listed(asked.closed, visit.now), asked.wanted(person), visit.now)
        open_ones = listed(False, visit.now)
        offers = {
            it.incident_id: _offers(it, person) if visit.may(Permission.ACT) else []
            for it in found[:SHOWN]
        }
        return html(
            render(
                "incidents.html",
                visit,
                desk,
                asked=asked,
                incidents=found[:SHOWN],
                total=len(found),
                offers=offers,
                by_severity=Counter(it.severity for it in open_ones),
                overdue=sum(_is_overdue(it, visit.now) for it in open_ones),
                SEVERITIES=SEVERITIES,
            )
        )

    return [Route("GET", "/incidents", Permission.VIEW, incidents)]


def _read(query: Mapping[str, str]) -> Asked:
    """What is not understood is as if it was not said: a page has something to show anyway."""
    severity, held, drill = (query.get(name, "") for name in ("severity", "held", "drill"))
    return Asked(
        severity=severity if severity in SEVERITIES else "",
        held=held if held in _HELD else "",
        drill=drill if drill in _DRILLS else "",
        closed=query.get("closed") == "yes",
    )


def _offers(it: Incident, person: str) -> list[Offer]:
    """What somebody may want to order of it, the likeliest first."""
    if it.closed_at is not None:
        return []
    mine = "Assign to me" if not it.held_by else "Take over"
    offered = [
        ("acknowledge", "Acknowledge", "a", not it.held_by),
        ("assign", mine, "m", it.held_by != person),
        ("assign", "Assign", "s", True),
        ("escalate", "Escalate", "e", True),
        ("verdict-true", "Confirm", "c", True),
        ("verdict-false", "Reject", "r", True),
    ]
    return [
        Offer(label, key, _act(it, command, person if label == mine else ""))
        for command, label, key, applies in offered
        if applies and command in ORDERS
    ]


def _act(it: Incident, command: str, assignee: str) -> str:
    query = {INCIDENT: it.incident_id}
    if assignee:
        query["assignee"] = MYSELF
    return str(URL(f"/streams/{it.handle}/act/{command}").with_query(query))


def _is_overdue(it: Incident, now: int) -> bool:
    left = it.left(now)
    return left is not None and left < 0
