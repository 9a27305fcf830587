"""What the control page shows of what holds takedowns back, and of policies."""

from __future__ import annotations

from agents.oncall.in_force import at_odds, in_force
from agents.oncall.policies import PolicyTold, RuleTold
from schemas import PartInForce

from .events import NOW, commanded, worker_reported
from .serving import Client, Served, page

DAY = 86_400_000_000


def policy(place: str, share: float | None = None, **rules: str) -> PolicyTold:
    told = tuple(RuleTold(*rule) for rule in rules.items())
    return PolicyTold(place, f"{place}/1", place[0] * 64, share, told, (), 7 * DAY)


async def test_a_kill_switch_shows_who_ordered_it_and_why(served: Served, client: Client) -> None:
    """With what it takes to lift it."""
    served.controls.apply(
        commanded(
            "hold-takedowns", scope="region:NZ", issued_at=NOW, until=NOW + DAY, reason="a film"
        )
    )
    html = await page(client, "/control")

    for text in ("region:NZ", "kea", "a film"):
        assert text in html
    assert "/control/act/lift-hold?scope=region%3ANZ" in html
    assert 'value="region:NZ"' in await page(client, "/control/act/lift-hold?scope=region%3ANZ")


async def test_the_breaker_is_offered_what_it_is_not(served: Served, client: Client) -> None:
    """One that is closed can be tripped, one that is open closed."""
    html = await page(client, "/control")
    assert "/control/act/trip-breaker" in html
    assert "/control/act/close-breaker" not in html

    served.controls.apply(commanded("trip-breaker", scope="all", issued_at=NOW, until=NOW + DAY))
    html = await page(client, "/control")
    assert "/control/act/close-breaker" in html
    assert "a film set" in html


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
