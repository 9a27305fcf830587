"""A worker that was told to stop is gone in time, whatever holds it up."""

from __future__ import annotations

import asyncio
from threading import Timer
from typing import Any

import pytest

from tests.waiting import wait_until_async
from topology.committing import CommittingApp


class Held(CommittingApp):
    """Stops when it is let."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            "leaving-test", broker="kafka://127.0.0.1:1", store="memory://", autodiscover=False
        )
        self.let = asyncio.Event()
        self.said: list[str] = []
        self.overdue = self.said.append

    async def on_stop(self) -> None:
        await self.let.wait()


async def test_what_does_not_stop_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topology.committing.LEAVE_SECONDS", 0.05)
    app = Held()
    stopping = asyncio.create_task(app.stop())
    await wait_until_async(lambda: bool(app.said), 10)
    assert app.said == ["told to stop, and not done in 0.05 s"]
    app.let.set()
    await stopping


async def test_what_stops_in_time_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it afterwards: nothing watches any more."""
    watches: list[Any] = []

    def watch(*given: Any) -> Any:
        watches.append(Timer(*given))
        return watches[-1]

    monkeypatch.setattr("topology.committing.Timer", watch)
    app = Held()
    app.let.set()
    await app.stop()
    (it,) = watches
    it.join(10)
    assert not it.is_alive()
    assert app.said == []
