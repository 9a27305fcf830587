"""What many look at is made once: never older than a second, and never late with news."""

from __future__ import annotations

from agents.oncall.sharing import MOST, Shared
from tests.builders import SECOND, risk_assessed

from .events import NOW, answered, breaker_tripped, heard, takedown_requested
from .serving import Client, Served

RENEWS = {"HX-Request": "true"}


class Counting:
    """Makes the number of times that it was asked to."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.times


def test_all_who_ask_within_a_second_are_given_the_same() -> None:
    """t=0 it is made; t=0.999999 it is given on; t=1 it is made anew; and again by a set clock."""
    shared: Shared[int] = Shared()
    make = Counting()
    assert [shared.get("a", 1, at, make) for at in (0, 0, SECOND - 1)] == [1, 1, 1]
    assert shared.get("a", 1, SECOND, make) == 2
    assert shared.get("a", 1, SECOND - 1, make) == 3


def test_what_rests_on_something_else_is_made_at_once() -> None:
    shared: Shared[int] = Shared()
    make = Counting()
    assert [shared.get("a", news, 0, make) for news in (1, 2, 2)] == [1, 2, 2]
    assert shared.get("b", 2, 0, make) == 3


def test_of_many_few_are_kept() -> None:
    shared: Shared[int] = Shared()
    make = Counting()
    for key in range(MOST + 1):
        shared.get(key, 0, 0, make)
    assert shared.get(MOST, 0, 0, make) == MOST + 1
    assert shared.get(0, 0, 0, make) == MOST + 2


async def renewed(client: Client, path: str = "/") -> str:
    response = await client.get(path, headers=RENEWS)
    assert response.status == 200
    return await response.text()


async def test_routine_shows_within_a_second_and_news_at_once(
    client: Client, served: Served
) -> None:
    """A takedown, a person's release, and what is said of the breaker."""
    model = served.read_model
    model.apply(heard(), NOW)
    model.apply(risk_assessed(risk=0.31), NOW)
    assert "0.31" in await renewed(client)
    model.apply(risk_assessed(risk=0.32, assessed_at=NOW), NOW)
    assert "0.32" not in await renewed(client)
    served.now_us += SECOND
    assert "0.32" in await renewed(client)

    model.apply(takedown_requested(), NOW)
    assert "takedown requested" in await renewed(client)
    model.apply(answered("release", state_after="released"), NOW + SECOND)
    assert '<span class="state">released</span>' in await renewed(client)
    served.controls.apply(breaker_tripped(expires_at=served.now_us + 60 * SECOND))
    assert "The breaker is open until" in await renewed(client)


async def test_what_one_asked_for_is_not_what_another_gets(client: Client, served: Served) -> None:
    for stream in ("stream-1", "stream-2"):
        served.read_model.apply(heard(stream_id=stream), NOW)
    assert "stream-2" in await renewed(client)
    ended = await renewed(client, "/?state=ended")
    assert "stream-2" not in ended
