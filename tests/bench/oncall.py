"""What 10,000 streams cost the on-call view: ``make bench-oncall``.

Prints, and writes to ``build/bench-oncall.json``:

``first_page_ms``       ``/`` as a browser gets it over HTTP, from a server in this process
``newer_page_ms``       the part of it that a page which is open asks for
``search_ms``           the page of those whose id has a text in it
``nothing_ms``          ``/live``, which does nothing: what the server itself costs, in the same run
``bytes_per_stream``    of the read model, by ``tracemalloc``: streams with updates, hearing and a
                        minute of risks, one in ten of them before people, one in a hundred to be
                        taken down
``viewers``             what 20 people who keep Now open cost, beside one, in the same run: CPU in a
                        second, on the event loop that agents share, and by how much that loop is
                        late meanwhile. ``unshared`` is with a page made for each of them

Each time with the median and the spread of its repeats. Ends with 1 where the first page's median
takes over 200 ms, or a stream over 2 KB.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import tracemalloc
from collections.abc import Mapping
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
from tests.oncall.serving import Client, Served, serve

OUT = Path("build/bench-oncall.json")
STREAMS = 10_000
REPEATS = 21
_RISKS = 15
_SPAN = 4 * SECOND
_AT_RISK, _TAKEN_DOWN = 10, 100
_RENEWS = {"HX-Request": "true"}
_VIEWERS = 20
_SECONDS = 5
"""Of being looked at; each viewer asks once in each."""
_PROBE_SECONDS = 0.005
FIRST_PAGE_MS, BYTES_PER_STREAM = 200, 2048
"""What is promised."""


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
            "first_page_ms": await _time(client, served, "/"),
            "newer_page_ms": await _time(client, served, "/", headers=_RENEWS),
            "search_ms": await _time(client, served, "/", data={"text": "0000270f"}),
            "nothing_ms": await _time(client, served, "/live"),
        }


async def _time(client: Client, served: Served, path: str, **how: Any) -> dict[str, float]:
    taken = []
    for _ in range(REPEATS):
        served.now_us += SECOND  # nobody has just asked for the same
        began = time.perf_counter()
        async with client.request("POST" if "data" in how else "GET", path, **how) as answer:
            await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        taken.append((time.perf_counter() - began) * 1000)
    return spread(taken, 1)


async def viewers() -> dict[str, Any]:
    """What those cost who keep Now open, while something routine comes all the time."""
    served = serve()
    fill(served.read_model, STREAMS)
    app = await served.app.web.wsgi()
    told: dict[str, Any] = {}
    async with TestClient(TestServer(app), headers=signed_in.headers()) as client:
        for name, looking, shared in (
            ("one", 1, True),
            ("shared", _VIEWERS, True),
            ("unshared", _VIEWERS, False),
        ):
            told[name] = await _look(client, served, looking, shared=shared)
    cpu = {name: it["cpu_ms_a_second"]["median"] for name, it in told.items()}
    return {
        "viewers": _VIEWERS,
        **told,
        "shared_to_one": round(cpu["shared"] / cpu["one"], 2),
        "unshared_to_shared": round(cpu["unshared"] / cpu["shared"], 2),
    }


async def _look(client: Client, served: Served, looking: int, *, shared: bool) -> dict[str, Any]:
    """CPU in each second, and how late the loop is, in milliseconds."""
    spent: list[float] = []
    late: list[float] = []
    for _ in range(_SECONDS):
        served.now_us += SECOND
        probing = asyncio.ensure_future(_probe(late))
        began = time.process_time()
        for viewer in range(looking):
            if not shared:
                # What is shared rests on it: each asks as if something had just been decided.
                served.read_model.news += 1
            served.read_model.apply(heard(frames=0, partition=viewer, appended_at=NOW), NOW)
            async with client.get("/", headers=_RENEWS) as answer:
                await answer.read()
        spent.append((time.process_time() - began) * 1000)
        await asyncio.sleep(2 * _PROBE_SECONDS)  # until it is told how late it was last
        probing.cancel()
    return {"cpu_ms_a_second": spread(spent, 1), "loop_late_ms": spread(late, 1)}


async def _probe(late: list[float]) -> None:
    """By how much it is woken later than it asked for."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_PROBE_SECONDS)
        late.append((time.perf_counter() - began - _PROBE_SECONDS) * 1000)


def broken(told: Mapping[str, Any]) -> list[str]:
    """What is promised and does not hold."""
    page, size = told["first_page_ms"]["median"], told["bytes_per_stream"]
    found = []
    if page > FIRST_PAGE_MS:
        found.append(f"the first page takes {page} ms, more than {FIRST_PAGE_MS}")
    if size > BYTES_PER_STREAM:
        found.append(f"a stream takes {size} bytes, more than {BYTES_PER_STREAM}")
    return found


def main() -> int:
    """Measure, print and write."""
    told = {
        "streams": STREAMS,
        "bytes_per_stream": round(bytes_per_stream()),
        **asyncio.run(times()),
        "viewers": asyncio.run(viewers()),
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told, indent=2))
    for what in (problems := broken(told)):
        print(what, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
