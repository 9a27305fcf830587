"""The on-call view as a browser, a script and an orchestrator meet it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from agents.following import Progress
from agents.oncall.rendering import format_age
from tests.builders import risk_assessed

from .events import (
    NOW,
    acknowledged,
    alert_raised,
    answered,
    commanded,
    dead_lettered,
    escalation_raised,
    heard,
    stream_updated,
    takedown_requested,
    unwatched,
)
from .serving import Client, Served, page

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


class _Elements(HTMLParser):
    """Names the elements of a page, and the attributes that could run something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]


async def test_the_first_page_says_that_there_are_no_streams_yet(client: Client) -> None:
    """Nothing to show is said, and Faust's own index does not stand in the way."""
    assert "No streams yet." in await page(client)


async def test_a_stream_is_shown_with_its_state_in_words(served: Served, client: Client) -> None:
    """State, risk, age, frames, drill, rule and explanation are on the page as text."""
    for event in (
        heard(appended_at=NOW - 1_500_000),
        risk_assessed(risk=0.972, drill=True),
        takedown_requested(drill=True),
    ):
        served.read_model.apply(event, NOW)

    html = await page(client)

    for text in ("stream-1", "takedown requested", "0.97", "1.5 s ago", "drill", "sustained"):
        assert text in html
    assert "18 of 20 frames over 10 s" in html


async def test_a_hostile_stream_id_stays_text(served: Served, client: Client) -> None:
    """What comes from outside becomes no element and no attribute, wherever it is shown."""
    plain = _Elements(await page(client))
    who = {"stream_id": HOSTILE, "session_id": HOSTILE}
    for event in (
        stream_updated(**who),
        takedown_requested(rule=HOSTILE, explanation=HOSTILE, incident_id=HOSTILE, **who),
        acknowledged(outcome=HOSTILE, detail=HOSTILE, **who),
        answered("acknowledge", state_after="escalated", operator=HOSTILE, **who),
        unwatched(reason=HOSTILE, **who),
        answered(stream_id="two", operator=HOSTILE, reason=HOSTILE),
        alert_raised(kind=HOSTILE, source=HOSTILE, detail=HOSTILE),
    ):
        served.read_model.apply(event, NOW)
    for order in ("hold-takedowns", "trip-breaker"):
        served.controls.apply(
            commanded(
                order,
                command_id=order,
                scope="all",
                until=NOW + 1,
                operator=HOSTILE,
                reason=HOSTILE,
            )
        )

    html = await page(client)

    elements = _Elements(html)
    assert HOSTILE not in html
    assert elements.names.count("script") == plain.names.count("script") == 3
    assert elements.names.count("img") == plain.names.count("img")
    assert elements.inline == []


@pytest.mark.parametrize("path", ["/", "/live", "/static/oncall.js", "/nothing"])
async def test_every_response_forbids_what_this_server_did_not_serve(
    client: Client, path: str
) -> None:
    """Errors carry the headers as well."""
    headers = (await client.get(path)).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")


async def test_what_pages_are_made_of_is_sent_once_and_packed(client: Client) -> None:
    """A browser that has it asks whether it is still the same, and is sent it where it is not."""
    path = "/static/oncall.css"
    async with client.get(path, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        length, text, tag = packed.content_length, await packed.text(), packed.headers["ETag"]
    async with client.get(path, headers={"Accept-Encoding": "identity"}) as plain:
        assert "Content-Encoding" not in plain.headers
        assert (await plain.text(), plain.headers["ETag"]) == (text, tag)
        assert length is not None
        assert plain.content_length is not None
        assert length < plain.content_length / 2

    for known, status in ((tag, 304), ('"another"', 200)):
        async with client.get(path, headers={"If-None-Match": known}) as again:
            assert (again.status, again.headers["ETag"]) == (status, tag)
            assert "default-src 'none'" in again.headers["Content-Security-Policy"]
            assert bool(await again.read()) is (status == 200)


@pytest.mark.parametrize("number", ["0", "-1", "x", "²", "9" * 4400])
async def test_a_page_of_no_such_number_is_one_all_the_same(client: Client, number: str) -> None:
    """An address is typed, cut off or made up: there is something to show anyway."""
    assert "No streams yet." in await page(client, f"/?page={number}")


@pytest.mark.parametrize("name", ["missing.css", "..%2fweb.py", "%2e%2e/web.py", "oncall.css/"])
async def test_only_the_pages_own_files_are_served(client: Client, name: str) -> None:
    """A static name is one of a fixed set, never a path."""
    assert (await client.get(f"/static/{name}")).status == 404


async def test_live_answers_whatever_else_is_wrong(served: Served, client: Client) -> None:
    """A slow start or a lost Kafka is no reason to kill the process."""
    served.feed.progress = Progress.LOST
    served.checks["model"] = False

    response = await client.get("/live")

    assert (response.status, await response.json()) == (200, {"live": True})


async def test_ready_names_what_is_missing(served: Served, client: Client) -> None:
    """503 with the reasons until all checks are met."""
    served.checks.update(model=True, partitions_assigned=False, feed=False)

    response = await client.get("/ready")

    assert response.status == 503
    assert (await response.json())["reasons"] == ["partitions_assigned", "feed"]


async def test_a_worker_tells_what_it_counted(served: Served, client: Client) -> None:
    """Whatever is refused has a reason that is counted."""
    served.counts["aggregation refused late"] += 2

    response = await client.get("/api/v1/worker")

    assert (await response.json())["counts"] == {"aggregation refused late": 2}


async def test_a_worker_tells_what_it_runs_at_the_time(served: Served, client: Client) -> None:
    """Bundles change while a worker runs."""
    for version in ("1", "2"):
        served.runs["live"] = {"bundle": f"lite0/{version}"}
        response = await client.get("/api/v1/worker")
        assert (await response.json())["runs"] == {"live": {"bundle": f"lite0/{version}"}}


async def test_ready_is_200_once_all_checks_are_met(served: Served, client: Client) -> None:
    """All met, nothing to say."""
    served.checks.update(model=True, partitions_assigned=True)

    response = await client.get("/ready")

    assert response.status == 200
    assert (await response.json())["reasons"] == []


async def test_a_lost_feed_is_said_above_what_is_known(served: Served, client: Client) -> None:
    """The page keeps what it knew, and says that it is not current and why."""
    served.read_model.apply(stream_updated(), NOW)
    served.feed.progress = Progress.LOST
    served.feed.last_error = "no brokers <at all>"

    html = await page(client)

    assert "Connection to Kafka lost." in html
    assert "no brokers &lt;at all&gt;" in html
    assert "stream-1" in html


async def test_catching_up_is_said(served: Served, client: Client) -> None:
    """An incomplete picture is not passed off as a complete one."""
    served.feed.progress = Progress.CATCHING_UP

    assert "Catching up." in await page(client)


async def test_the_api_says_the_same_as_the_page(served: Served, client: Client) -> None:
    """Scripts get the rows, counters and feed state as JSON."""
    served.read_model.apply(escalation_raised(), NOW)
    served.read_model.apply(heard(appended_at=NOW - 31_000_000), NOW)
    served.read_model.apply(alert_raised(), NOW)
    served.read_model.apply(dead_lettered(), NOW)
    served.feed.undecodable = 2

    body = await (await client.get("/api/v1/streams")).json()

    (stream,) = body["streams"]
    assert (stream["stream_id"], stream["state"]) == ("stream-1", "escalated")
    assert (stream["frame_age"], stream["unwatched"]["reason"]) == (31.0, "not-judged")
    assert (stream["decision"]["rule"], stream["order"]) == ("sustained", None)
    assert body["held_back"]["breaker"]["open"] is False
    assert [alert["source"] for alert in body["alerts"]] == ["policy.toml"]
    assert body["feed"] == {"progress": "following", "last_error": None, "undecodable": 2}
    assert body["counters"]["dead_letters"] == {"undecodable-payload": 1}
    assert (body["as_of"], body["streams_known"]) == (NOW, 1)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (-3.0, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119.4, "119 s"),
        (119.6, "2 min"),
        (7199.0, "120 min"),
        (7200.0, "2 h"),
    ],
)
def test_ages_are_written_to_be_read_at_a_glance(seconds: float, written: str) -> None:
    """A shard's clock that is ahead makes a frame new, not negative."""
    assert format_age(seconds) == written
