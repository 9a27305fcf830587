"""Who may act: what each route for it asks for, whatever the guard makes of that."""

from __future__ import annotations

import pytest

from agents.oncall.access.roles import Permission, Person, Role
from agents.oncall.desk import Desk
from agents.oncall.pages import acting, audit, control, drills, incidents, orders
from agents.oncall.read_model import ReadModel
from agents.oncall.routing import Route

from .serving import FeedAsTold

DESK = Desk(ReadModel(), FeedAsTold(), dict)
READING = ["/incidents", "/control", "/audit", "/audit.csv", "/audit.jsonl", "/orders/{order}"]


def routes() -> list[Route]:
    modules = (acting, audit, control, drills, incidents, orders)
    return [route for module in modules for route in module.routes(DESK)]


def asked_for(path: str) -> set[Permission]:
    return {route.permission for route in routes() if route.path == path}


@pytest.mark.parametrize("path", READING)
def test_who_may_see_may_see_what_was_done(path: str) -> None:
    """The queue, the switches, the audit and what became of an order are no secret."""
    assert asked_for(path) == {Permission.VIEW}


def test_orders_of_streams_are_a_responders() -> None:
    """The form as well as the sending."""
    assert asked_for("/streams/{handle}/act/{command}") == {Permission.ACT}


@pytest.mark.parametrize(
    "path", ["/control/act/{command}", "/control/drill", "/control/drill/stop"]
)
def test_what_is_of_all_streams_is_an_admins(path: str) -> None:
    """Kill switches, the breaker and drills."""
    assert asked_for(path) == {Permission.CONTROL}


def test_a_viewer_can_change_nothing() -> None:
    """No route that sends anything but a search lets one in."""
    viewer = Person("moa", Role.VIEWER)
    open_to_them = {it.path for it in routes() if it.method == "POST" and viewer.may(it.permission)}
    assert open_to_them == {"/audit", "/audit.csv", "/audit.jsonl"}
