"""What the control page shows of what holds takedowns back, and of policies."""

from __future__ import annotations

from uuid import uuid4

from agents.oncall.in_force import at_odds, in_force
from agents.oncall.policies import PolicyTold, RuleTold
from schemas import PartInForce

from .events import (
    NOW,
    answered,
    breaker_tripped,
    commanded,
    drill_ordered,
    evidence_viewed,
    worker_reported,
)
from .serving import Client, Served, page

DAY = 86_400_000_000
ORDER_ID = str(uuid4())


def policy(place: str, share: float | None = None, **rules: str) -> PolicyTold:
    told = tuple(RuleTold(*rule) for rule in rules.items())
    return PolicyTold(place, f"{place}/1", place[0] * 64, share, told, (), 7 * DAY)


async def test_a_kill_switch_shows_who_ordered_it_and_why(served: Served, client: Client) -> None:
    """With what it takes to lift it."""
    order = {"issued_at": NOW, "until": NOW + DAY, "reason": "a film", "command_id": ORDER_ID}
    served.controls.apply(commanded("hold-takedowns", scope="region:NZ", **order))
    html = await page(client, "/control")

    for text in ("region:NZ", "kea", "a film", f"/orders/{ORDER_ID}"):
        assert text in html
    assert "/control/act/lift-hold?scope=region%3ANZ" in html
    assert 'value="region:NZ"' in await page(client, "/control/act/lift-hold?scope=region%3ANZ")


async def test_the_breaker_is_offered_what_it_is_not(served: Served, client: Client) -> None:
    """One that is closed can be tripped, one that is open closed."""
    html = await page(client, "/control")
    assert "/control/act/trip-breaker" in html
    assert "/control/act/close-breaker" not in html

    order = {"issued_at": NOW, "until": NOW + DAY, "command_id": ORDER_ID}
    served.controls.apply(commanded("trip-breaker", scope="all", **order))
    html = await page(client, "/control")
    assert "/control/act/close-breaker" in html
    for text in ("a film set", "Tripped by <bdi>kea</bdi>", f"/orders/{ORDER_ID}"):
        assert text in html


async def test_a_breaker_that_the_policy_tripped_says_so(served: Served, client: Client) -> None:
    """There is no order to be led to."""
    served.controls.apply(breaker_tripped())
    html = await page(client, "/control")
    assert "Tripped by <bdi>test/1</bdi>." in html
    assert "/orders/" not in html


async def test_each_change_says_who_why_until_and_what_came_of_it(
    served: Served, client: Client
) -> None:
    """And leads to its order; a lift as well as a hold, and what is of one stream is not there."""
    assert "Nothing was changed in the last 7 days" in await page(client, "/control")
    lift = {"scope": "region:NZ", "command_id": ORDER_ID, "reason": "a mistake", "operator": "tui"}
    state = {"state_before": "", "state_after": "", "stream_id": "", "session_id": ""}
    for event in (
        commanded("lift-hold", **lift),
        answered("lift-hold", **lift, **state),
        breaker_tripped(),
        drill_ordered("stopped", reason="enough"),
        evidence_viewed(stream_id="stream-9"),
        commanded(reason="of one stream"),
    ):
        served.read_model.apply(event, NOW)
    html = await page(client, "/control")
    _, _, told = html.partition('id="changes"')

    assert f'<a href="/orders/{ORDER_ID}">lift-hold</a>' in told
    for text in ("tui", "a mistake", "applied", "region:NZ", "drill stopped", "enough"):
        assert text in told
    for text in (
        "trip-breaker",
        "5 takedowns were asked for",
        "23:13:20\N{NO-BREAK SPACE}UTC",
        "test/1",
    ):
        assert text in told
    assert "stream-9" not in told
    assert "of one stream" not in told


async def test_policies_are_compared_rule_by_rule(served: Served, client: Client) -> None:
    """What differs is shown with both words; what is the same is not in the way."""
    served.policies += [
        policy("live", alike="one", other="two"),
        policy("canary", 0.25, alike="one", other="three"),
        policy("shadow", alike="one", other="two"),
    ]
    html = await page(client, "/control")

    assert "1 of 2 rules and settings differ" in html
    assert "Decides about 25% of streams" in html
    assert "It says the same as the live policy." in html
    assert "three" in html


async def test_a_worker_without_a_policy_says_so(client: Client) -> None:
    """Never a blank page."""
    assert "has no policy" in await page(client, "/control")


def bundle(part: str, label: str, share: float = 1.0) -> PartInForce:
    return PartInForce("bundle", part, label, label, share, "CPUExecutionProvider")


def report(served: Served, worker: str, *parts: PartInForce) -> None:
    served.read_model.apply(
        worker_reported(worker_id=worker, report_id=worker, reported_at=NOW, in_force=list(parts)),
        NOW,
    )


async def test_bundles_are_shown_as_the_workers_run_them(served: Served, client: Client) -> None:
    """Live, canary and shadow, each with how many workers have it."""
    parts = (
        bundle("shadow", "lite0 3", 0.0),
        bundle("live", "lite0 1"),
        bundle("canary", "lite0 2", 0.1),
    )
    for worker in ("one", "two"):
        report(served, worker, *parts)
    report(served, "three", PartInForce("policy", "live", "default/3", "d"))

    told = in_force("bundle", served.read_model.workers.now(NOW))
    assert [(it.part, it.label, it.workers) for it in told] == [
        ("live", "lite0 1", 2),
        ("canary", "lite0 2", 2),
        ("shadow", "lite0 3", 2),
    ]
    assert at_odds(told) == []
    html = await page(client, "/control")
    for text in ("lite0 1", "10%", "none, it decides nothing", "CPUExecutionProvider"):
        assert text in html


async def test_workers_that_are_not_of_one_mind_are_said(served: Served, client: Client) -> None:
    """Somebody may have changed a file on one of them only."""
    assert "No detection worker has reported lately." in await page(client, "/control")
    report(served, "one", bundle("live", "lite0 1"))
    report(served, "two", bundle("live", "lite0 2"))
    assert "not of one mind</strong> about the live bundle" in await page(client, "/control")


async def test_another_policy_or_bundle_is_a_change_of_the_worker(
    served: Served, client: Client
) -> None:
    """On the page and in the audit; who changed the file is not known, and that is said."""
    digests = "a" * 64, "b" * 64
    for number, digest in enumerate(digests):
        part = PartInForce("policy", "live", f"default/{number}", digest)
        report = worker_reported(report_id=f"r-{number}", reported_at=NOW + number, in_force=[part])
        served.read_model.apply(report, NOW + number)

    for path in ("/control", "/audit"):
        html = await page(client, path)
        for text in (
            "policy changed",
            "worker <bdi>worker-1</bdi>",
            f"live: from default/0 (digest {'a' * 12}) to default/1 (digest {'b' * 12})",
        ):
            assert text in html
    assert "Who changed a policy" in await page(client, "/control")
