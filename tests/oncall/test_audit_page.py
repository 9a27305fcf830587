"""The audit as a page and as files."""

from __future__ import annotations

import csv
import io
import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.oncall.audit_entries import Entry, Kind
from agents.oncall.audit_export import BEGINS, COLUMNS, csv_lines, json_lines
from agents.oncall.handles import handle_of
from schemas import MICROSECONDS

from .events import (
    NOW,
    answered,
    commanded,
    drill_ordered,
    evidence_viewed,
    redriven,
    takedown_requested,
    worker_reported,
)
from .serving import Client, Served, page

ORDER_ID = str(uuid4())
DAY = 86_400 * MICROSECONDS


@pytest.fixture
def _told(served: Served) -> None:
    for event in (
        commanded(command_id=ORDER_ID),
        answered(command_id=ORDER_ID),
        takedown_requested(),
        drill_ordered(operator="tui"),
    ):
        served.read_model.apply(event, NOW)


async def test_nothing_done_is_said(client: Client) -> None:
    """Never a blank page."""
    assert "Nothing was done yet" in await page(client, "/audit")


@pytest.mark.usefixtures("_told")
async def test_each_entry_says_who_did_what_and_why(client: Client) -> None:
    """And leads to the order and to the stream."""
    html = await page(client, "/audit")

    for text in ("kea", "release", "a film set", "applied", "tui", "drill started", "3 entries"):
        assert text in html
    assert f"/orders/{ORDER_ID}" in html
    assert f"/streams/{handle_of('stream-1')}" in html


@pytest.mark.usefixtures("_told")
@pytest.mark.parametrize(
    ("asked", "entries"),
    [
        ({"who": "tui"}, 1),
        ({"kind": "takedown"}, 1),
        ({"kind": "no such kind"}, 3),
        ({"what": "release", "who": "kea"}, 1),
        ({"stream": handle_of("stream-1")}, 2),
        ({"since": "2023-11-14", "until": "2023-11-14"}, 3),
        ({"until": "2023-11-13"}, 0),
        ({"since": "soon", "page": "x"}, 3),
        ({"page": "9" * 30}, 3),
    ],
)
async def test_it_is_searched_by_a_form(
    client: Client, asked: dict[str, str], entries: int
) -> None:
    """No name in an address; a day is the whole of it."""
    answer = await client.post("/audit", data=asked)
    html = await answer.text()
    assert answer.status == 200
    assert html.count('<td role="cell" data-label="When">') == entries


@pytest.mark.usefixtures("_told")
async def test_it_is_taken_along_as_json_lines(client: Client) -> None:
    """What was searched for, and not only the page of it."""
    answer = await client.post("/audit.jsonl", data={"who": "kea", "page": "7"})

    line, begins = (await answer.text()).splitlines()
    told = json.loads(line)
    assert "attachment" in answer.headers["Content-Disposition"]
    assert (told["who"], told["what"], told["kind"]) == ("kea", "release", "order")
    assert told["at"].endswith("Z")
    assert json.loads(begins)["at"] == "2023-11-07T22:14:20.000Z"


@pytest.mark.usefixtures("_told")
async def test_it_is_taken_along_as_csv(client: Client) -> None:
    """A line for the columns and one for each entry."""
    answer = await client.post("/audit.csv")
    names, *lines = csv.reader(io.StringIO(await answer.text()))
    assert tuple(names) == COLUMNS
    assert len(lines) == 3 + 1
    begins = dict(zip(names, lines[-1], strict=True))
    assert (begins["kind"], begins["at"]) == (BEGINS, "2023-11-07T22:14:20.000Z")
    assert begins["outcome"] == "what is older is in the topics, kept for a year"


async def test_it_says_from_when_on(client: Client, served: Served) -> None:
    """Also where there is nothing; changes are known from the first report on."""
    week_ago = "07 Nov 22:14 UTC".replace(" ", "\N{NO-BREAK SPACE}")
    assert f"From {week_ago} on, on every worker" in await page(client, "/audit")
    served.read_model.apply(worker_reported(), NOW)
    known = "Changes that workers report: from 22:14:20\N{NO-BREAK SPACE}UTC on"
    assert known in await page(client, "/audit")


async def test_a_page_of_pictures_is_a_row_and_a_line_each(client: Client, served: Served) -> None:
    """The row says of which stream and incident."""
    for offset in range(12):
        view = evidence_viewed(view_id=f"v-{offset}", offset=offset, incident_id="incident-9")
        served.read_model.apply(view, NOW)

    html = await page(client, "/audit")
    assert html.count('<td role="cell" data-label="When">') == 1
    assert "incident <bdi>incident-9</bdi>" in html
    assert "firebreak.frame-samples.v1/0/9, and 11 more" in html
    lines = (await (await client.post("/audit.jsonl")).text()).splitlines()
    assert len(lines) == 12 + 1


async def test_what_an_order_put_back_leads_to_the_order(client: Client, served: Served) -> None:
    served.read_model.apply(redriven(order_id=ORDER_ID), NOW)
    assert f"/topology/redrives/{ORDER_ID}" in await page(client, "/audit")


def entry(why: str) -> Entry:
    return Entry(NOW, "id", Kind.ORDER, "kea", "release", "s", "h", "", "", why, "")


def cell(why: str) -> str:
    (_, line) = csv.reader(io.StringIO(b"".join(csv_lines([entry(why)], ())).decode(), newline=""))
    return line[COLUMNS.index("why")]


@pytest.mark.parametrize(
    "why", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\n=1", "＝1"]
)
def test_no_cell_is_a_formula(why: str) -> None:
    """Whatever somebody typed is text to a spreadsheet."""
    assert cell(why) == f"'{why}"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_whatever_was_typed_comes_back(why: str) -> None:
    """With an apostrophe at most."""
    assert cell(why) in (why, f"'{why}")
    (line,) = b"".join(json_lines([entry(why)], ())).splitlines()
    assert json.loads(line)["why"] == why


def test_a_long_audit_comes_in_chunks() -> None:
    """None of them holds the event loop for long, and nothing is lost between them."""
    many = [entry(str(number)) for number in range(1_000)]
    chunks = list(json_lines(many, ()))
    assert len(chunks) > 1
    assert len(b"".join(chunks).splitlines()) == 1_000
