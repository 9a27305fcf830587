"""What the page says of held-back takedowns, alerts, unwatched streams, and what came of it all."""

from __future__ import annotations

import re

from agents.decision.controls import Controls
from agents.following import Progress

from .events import (
    NOW,
    acknowledged,
    alert_raised,
    answered,
    breaker_tripped,
    commanded,
    stream_updated,
    takedown_requested,
    unwatched,
)
from .serving import Client, Served, page


async def test_an_open_breaker_is_said_above_everything(served: Served, client: Client) -> None:
    """Until when and why, as the worker's controls have it; and no longer once it is over."""
    served.controls.apply(breaker_tripped(expires_at=NOW + 1_000_000))
    html = await page(client)
    assert "The breaker is open until 22:14:21\N{NO-BREAK SPACE}UTC." in html
    assert "5 takedowns were asked for within 10 minutes" in html

    served.now_us = NOW + 1_000_000

    assert "The breaker is open" not in await page(client)


async def test_a_kill_switch_is_said_with_who_ordered_it(served: Served, client: Client) -> None:
    served.controls.apply(commanded("hold-takedowns", scope="region:NZ", until=NOW + 1_000_000))

    html = await page(client)

    assert "Takedowns are held back for <bdi>region:NZ</bdi>" in html
    assert "ordered by <bdi>kea</bdi>" in html


async def test_a_worker_that_does_not_know_its_controls_says_so(
    served: Served, client: Client
) -> None:
    """It takes nothing down by itself then, which people must not learn from a stream."""
    assert "takes nothing down by itself" not in await page(client)

    served.controls = Controls(known=lambda: False)

    assert "takes nothing down by itself" in await page(client)


async def test_a_broken_policy_is_said_until_it_is_mended(served: Served, client: Client) -> None:
    served.read_model.apply(alert_raised(), NOW)
    html = await page(client)
    assert "policy-broken" in html
    assert "line 12: rule &#39;x&#39;: expected a number" in html

    served.read_model.apply(alert_raised(alert_id="a-2", kind="policy-mended"), NOW + 1)

    assert "policy.toml" not in await page(client)


async def test_an_unwatched_stream_is_first_and_says_why(served: Served, client: Client) -> None:
    """Above a takedown, which others mind as well."""
    for event in (
        takedown_requested(stream_id="grave"),
        stream_updated(stream_id="lost"),
        unwatched(stream_id="lost"),
    ):
        served.read_model.apply(event, NOW)

    html = await page(client)

    assert html.index(">lost<") < html.index(">grave<")
    assert "frames stopped since 22:13:20\N{NO-BREAK SPACE}UTC; 40 viewers" in html


async def test_while_the_past_is_read_nobody_is_called_unwatched_for_want_of_frames(
    served: Served, client: Client
) -> None:
    """They may be among what is still to be read."""
    served.read_model.apply(stream_updated(), NOW - 31_000_000)
    assert "not judged, and no worker said so" in await page(client)

    served.feed.progress = Progress.CATCHING_UP

    assert "not judged" not in await page(client)


async def test_what_came_of_a_decision_is_said_with_it(served: Served, client: Client) -> None:
    """Stopped by whom, released by whom and why, suppressed until when."""
    for event in (
        takedown_requested(stream_id="one"),
        acknowledged(stream_id="one"),
        takedown_requested(stream_id="two", takedown_id="t-2"),
        answered(stream_id="two"),
        commanded("suppress", command_id="command-3", stream_id="three", until=NOW + 1_000_000),
        answered("suppress", command_id="command-3", stream_id="three", state_after="suppressed"),
    ):
        served.read_model.apply(event, NOW)

    text = " ".join(re.sub("<[^>]*>", " ", await page(client)).split())

    assert "stopped not heard of lately" in text
    assert "stream stopped, confirmed by takedowns" in text
    assert "released by kea not heard of lately" in text
    assert "a film set sustained 18 of 20 frames over 10 s" in text
    assert "suppressed by kea until 22:14:21 UTC at the latest" in text
