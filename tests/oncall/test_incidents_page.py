"""The queue of incidents as somebody on call meets it."""

from __future__ import annotations

import re
from html import unescape

import pytest

from agents.oncall.handles import handle_of
from schemas import MICROSECONDS

from .events import NOW, answered, escalation_raised, incident_closed, stream_updated
from .filling import form
from .serving import Client, Served, page

MINUTE = 60 * MICROSECONDS
HANDLE = handle_of("stream-1")


def raised(served: Served, number: int = 1, **told: object) -> None:
    """An escalation of a stream of its own."""
    who = {"stream_id": f"stream-{number}", "session_id": f"session-{number}"}
    served.read_model.apply(stream_updated(drill=bool(told.get("drill")), **who), NOW)
    escalation = {
        "escalation_id": f"e-{number}",
        "incident_id": f"incident-{number}",
        "answer_by": NOW + 5 * MINUTE,
        "routes": ["human-review", "on-call"],
        **who,
        **told,
    }
    served.read_model.apply(escalation_raised(**escalation), NOW)


async def test_an_empty_queue_says_so(client: Client) -> None:
    """Never a blank page."""
    assert "No incident is open." in await page(client, "/incidents")


async def test_an_incident_shows_how_urgent_it_is(served: Served, client: Client) -> None:
    """Severity, age, the time left, whom it went to, whose hand it is in, and why."""
    raised(served)
    served.now_us = NOW + 3 * MINUTE

    html = await page(client, "/incidents")

    for text in ("high", "opened 3 min ago", "2 min", "human-review, on-call", "nobody"):
        assert text in html
    assert "18 of 20 frames over 10 s" in html
    assert f"/streams/{HANDLE}" in html


async def test_what_is_overdue_is_marked(served: Served, client: Client) -> None:
    """In words, and counted at the top."""
    raised(served)
    served.now_us = NOW + 7 * MINUTE

    html = await page(client, "/incidents")

    assert "overdue by 2 min" in html
    assert re.search(r"<dt>Overdue</dt><dd>1</dd>", html)


async def test_the_most_urgent_come_first(served: Served, client: Client) -> None:
    """By severity, then by the time left."""
    raised(served, 1, severity="elevated")
    raised(served, 2, answer_by=NOW + 9 * MINUTE)
    raised(served, 3)
    raised(served, 4, severity="critical")

    html = await page(client, "/incidents")

    assert re.findall(r'id="i-incident-(\d)"', html) == ["4", "3", "2", "1"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["1", "2", "3"]),
        ("severity=critical", ["1"]),
        ("held=nobody", ["1", "3"]),
        ("held=me", ["2"]),
        ("drill=only", ["3"]),
        ("drill=none", ["1", "2"]),
        ("severity=x&held=y&drill=z&closed=w", ["1", "2", "3"]),
    ],
)
async def test_the_queue_is_filtered_by_its_address(
    served: Served, client: Client, query: str, shown: list[str]
) -> None:
    """What the address says and can't be understood is left out; it has nobody's name in it."""
    raised(served, 1, severity="critical")
    raised(served, 2)
    raised(served, 3, drill=True, severity="elevated")
    served.read_model.apply(
        answered(
            "acknowledge",
            stream_id="stream-2",
            session_id="session-2",
            incident_id="incident-2",
            operator="test-admin",
            state_after="escalated",
        ),
        NOW + 1,
    )
    html = await page(client, f"/incidents?{query}")
    assert sorted(re.findall(r'id="i-incident-(\d)"', html)) == shown


async def test_closed_ones_are_apart(served: Served, client: Client) -> None:
    """With their outcome, and nothing to order."""
    raised(served)
    served.read_model.apply(incident_closed(closed_at=NOW, outcome="rejected"), NOW + MICROSECONDS)
    assert "No incident is open." in await page(client, "/incidents")

    html = await page(client, "/incidents?closed=yes")

    assert "rejected" in html
    assert "/act/" not in html


def links(html: str) -> dict[str, str]:
    """Where each letter of the first incident leads."""
    found = re.findall(r'<a href="([^"]+)" data-key="(\w)"', html)
    return {key: unescape(href) for href, key in found}


async def test_each_order_is_a_letter_away(served: Served, client: Client) -> None:
    """In hand, given on, more people, both verdicts; each link is a form for this incident."""
    raised(served)
    offered = links(await page(client, "/incidents"))

    assert set(offered) == set("amsecr")
    for href in offered.values():
        filled = await form(client, href)
        assert filled["session"] == "session-1"


async def test_an_order_is_of_the_session_that_the_incident_is_of(
    served: Served, client: Client
) -> None:
    """Also once the stream has another session."""
    raised(served)
    served.read_model.apply(stream_updated(session_id="session-2"), NOW + MINUTE)
    href = links(await page(client, "/incidents"))["r"]

    answer = await client.post(href, data=await form(client, href), allow_redirects=False)

    assert answer.status == 303
    (order,) = served.given
    assert (order.command, order.session_id) == ("verdict-false", "session-1")


async def test_an_incident_that_is_not_known_has_no_form(served: Served, client: Client) -> None:
    """A wrong address orders nothing."""
    raised(served)
    answer = await client.get(f"/streams/{HANDLE}/act/acknowledge?incident=another")
    assert answer.status == 404


async def test_what_somebody_else_has_in_hand_can_be_taken_over(
    served: Served, client: Client
) -> None:
    """The link says me, and the form has the name of whoever follows it."""
    raised(served)
    served.read_model.apply(
        answered("acknowledge", operator="tui", state_after="escalated"), NOW + 1
    )
    html = await page(client, "/incidents")
    assert "Take over" in html
    assert "nobody+in+particular" not in html
    assert 'value="test-admin"' in await page(client, links(html)["m"])
