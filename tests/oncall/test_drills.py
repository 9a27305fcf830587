"""A drill on the page: on record before it runs, one at a time, and to be stopped."""

from __future__ import annotations

import pytest

from agents.oncall.drills import LASTS, AlreadyRunning, Drills
from agents.oncall.giving import NotOrdered
from agents.oncall.handles import handle_of

from .events import NOW, drill_ordered, stream_updated
from .filling import form, give
from .serving import Client, Served, page

START = "/control/drill"
STOP = "/control/drill/stop"


def test_the_order_in_which_its_orders_come_changes_nothing() -> None:
    """What comes again, or late, is as it was."""
    one, two = drill_ordered(), drill_ordered(stream_id="drill-2", order_id="o-2")
    stop = drill_ordered("stopped", stream_id="drill-2", order_id="o-3")
    there, back = Drills(), Drills()
    told = [(one, 1), (two, 2), (stop, 3), (two, 4)]
    for event, at in told:
        there.take(event, at)
    for event, at in reversed(told):
        back.take(event, at)

    assert there.newest() == back.newest()
    newest = there.newest()
    assert newest is not None
    assert (newest.started.at, newest.ended is not None) == (2, True)
    assert there.is_stopped("drill-2")
    assert not there.is_stopped("drill-1")


async def test_a_drill_is_started_with_who_and_why(served: Served, client: Client) -> None:
    """Under a stream of its own, for two minutes at most."""
    status, location = await give(client, START, reason="the monthly drill")

    (order,) = served.drills.ordered
    assert (status, location) == (303, f"/control?drill={order.order_id}")
    assert (order.change, order.operator) == ("started", "test-admin")
    assert (order.reason, order.until) == ("the monthly drill", NOW + LASTS)
    assert order.stream_id == f"drill-{order.order_id[:8]}"


async def test_it_shows_as_running_once_it_came_back(served: Served, client: Client) -> None:
    """Sent is not running."""
    _, location = await give(client, START)
    html = await page(client, location)
    assert "Sent, not in effect yet." in html
    assert "Start a drill" in html

    served.read_model.apply(served.drills.ordered[0], NOW)
    html = await page(client, location)
    assert "<strong>Running</strong>" in html
    assert "Sent, not in effect yet." not in html
    assert "no frame judged yet" in html
    assert "Stop the drill" in html


async def test_there_is_one_drill_at_a_time(served: Served, client: Client) -> None:
    """Whichever worker runs it; the form that started it may come again."""
    filled = await form(client, START)
    await client.post(START, data=filled, allow_redirects=False)
    served.read_model.apply(served.drills.ordered[0], NOW)

    status, html = await give(client, START)
    assert status == 422
    assert "A drill runs already" in html
    again = await client.post(START, data=filled, allow_redirects=False)
    assert again.status == 303
    assert len(served.drills.ordered) == 1


@pytest.mark.parametrize(
    ("failure", "status", "told"),
    [
        (AlreadyRunning(), 422, "A drill runs already"),
        (NotOrdered("no brokers"), 503, "no brokers"),
    ],
)
async def test_a_drill_that_is_not_run_is_said(
    served: Served, client: Client, failure: Exception, status: int, told: str
) -> None:
    """The form is kept."""
    served.drills.failure = failure
    assert (await give(client, START, reason="monthly"))[0] == status
    assert told in (await give(client, START, reason="monthly"))[1]


async def test_a_drill_is_stopped_with_who_and_why(served: Served, client: Client) -> None:
    """The stop is of the stream of the drill that runs."""
    started = drill_ordered(ordered_at=NOW, until=NOW + LASTS)
    served.read_model.apply(started, NOW)

    status, _ = await give(client, STOP, reason="enough")

    (order,) = served.drills.ordered
    assert status == 303
    assert (order.change, order.stream_id, order.reason) == ("stopped", "drill-1", "enough")
    served.read_model.apply(order, NOW)
    html = await page(client, "/control")
    assert "Stopped at" in html
    assert "enough" in html


async def test_a_drill_that_failed_says_why_and_another_may_start(
    served: Served, client: Client
) -> None:
    """At once, and not when its two minutes are over; the audit has it too."""
    served.read_model.apply(drill_ordered(ordered_at=NOW, until=NOW + LASTS), NOW)
    failed = drill_ordered("failed", order_id="o-2", reason="the clip can't be opened", until=NOW)
    served.read_model.apply(failed, NOW)

    html = await page(client, "/control")
    assert "<strong>Failed</strong>" in html
    assert "the clip can&#39;t be opened" in html
    assert "no frame judged yet" not in html
    assert "Start a drill" in html
    assert "drill failed" in await page(client, "/audit")
    assert (await give(client, START))[0] == 303


async def test_a_drill_whose_clip_is_over_is_over(served: Served, client: Client) -> None:
    """Its stream ended: another may be started, and there is nothing to stop."""
    served.read_model.apply(drill_ordered(ordered_at=NOW, until=NOW + LASTS), NOW)
    for change in ("started", "ended"):
        served.read_model.apply(stream_updated(change, stream_id="drill-1", drill=True), NOW)

    assert f"/streams/{handle_of('drill-1')}" in await page(client, "/control")
    status, html = await give(client, STOP)
    assert (status, "No drill runs." in html) == (422, True)
    assert (await give(client, START))[0] == 303
