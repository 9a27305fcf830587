"""What 10,000 streams cost the on-call view: ``make bench-oncall``.

Prints, and writes to ``build/bench-oncall.json``:

``first_page_ms``       ``/`` as a browser gets it over HTTP, from a server in this process
``newer_page_ms``       the part of it that a page which is open asks for
``search_ms``           the page of those whose id has a text in it
``nothing_ms``          ``/live``, which does nothing: what the server itself costs, in the same run
``bytes_per_stream``    of the read model, by ``tracemalloc``: streams with updates, hearing and a
                        minute of risks, one in ten of them before people, one in a hundred to be
                        taken down

Each time with the median and the spread of its repeats.
"""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from agents.oncall.read_model import ReadModel
from schemas import SignalSummary
from tests import signed_in
from tests.bench.harness import spread
from tests.builders import SECOND, risk_assessed, window
from tests.oncall.events import (
    NOW,
    escalation_raised,
    heard,
    stream_updated,
    takedown_requested,
)
from tests.oncall.serving import Client, serve

OUT = Path("build/bench-oncall.json")
STREAMS = 10_000
REPEATS = 21
_RISKS = 15
_SPAN = 4 * SECOND
_AT_RISK, _TAKEN_DOWN = 10, 100
_RENEWS = {"HX-Request": "true"}


def fill(model: ReadModel, streams: int) -> None:
    """What the topics say of ``streams`` streams within a minute."""
    for number in range(streams):
        # Made anew for each, as what is decoded is: nothing is shared that would not be.
        who: dict[str, Any] = {
            "stream_id": f"{number:08x}-0000-4000-8000-{number:012x}",
            "session_id": f"{number:08x}-0000-4000-9000-{number:012x}",
        }
        model.apply(stream_updated(viewers=number % 900, region="NZ", category="games", **who), NOW)
        model.apply(heard(frames=120, partition=number, appended_at=NOW - SECOND, **who), NOW)
        for at in range(_RISKS):
            seen = [SignalSummary("firearm", number % 9, number % 9, 0.4)]
            risk = risk_assessed(
                window(10.0, number % 9, observed=20, signals=seen),
                risk=(number + at) % 100 / 100,
                assessed_at=NOW - (_RISKS - at) * _SPAN,
                risk_id=f"risk-{number}-{at}",
                **who,
            )
            model.apply(risk, NOW)
        raised = {"incident_id": f"incident-{number}", "cause_id": f"cause-{number}"}
        if number % _AT_RISK == 0:
            model.apply(escalation_raised(escalation_id=f"e-{number}", **raised, **who), NOW)
        if number % _TAKEN_DOWN == 0:
            model.apply(takedown_requested(takedown_id=f"t-{number}", **raised, **who), NOW)


def bytes_per_stream() -> float:
    """What the read model comes to, for each stream."""
    tracemalloc.start()
    model = ReadModel(max_streams=STREAMS)
    fill(model, STREAMS)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(model)


async def times() -> dict[str, dict[str, float]]:
    """How long each request takes, in milliseconds."""
    served = serve()
    fill(served.read_model, STREAMS)
    server = TestServer(await served.app.web.wsgi())
    async with TestClient(server, headers=signed_in.headers()) as client:
        return {
            "first_page_ms": await _time(client, "/"),
            "newer_page_ms": await _time(client, "/", headers=_RENEWS),
            "search_ms": await _time(client, "/", data={"text": "0000270f"}),
            "nothing_ms": await _time(client, "/live"),
        }


async def _time(client: Client, path: str, **how: Any) -> dict[str, float]:
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        async with client.request("POST" if "data" in how else "GET", path, **how) as answer:
            await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        taken.append((time.perf_counter() - began) * 1000)
    return spread(taken, 1)


def main() -> None:
    """Measure, print and write."""
    told = {
        "streams": STREAMS,
        "bytes_per_stream": round(bytes_per_stream()),
        **asyncio.run(times()),
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
