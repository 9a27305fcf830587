"""What the control page shows of what holds takedowns back, and of policies."""

from __future__ import annotations

from agents.oncall.policies import PolicyTold, RuleTold

from .events import NOW, commanded
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
