"""What a worker's CPU goes into, by part of the topology.

A thread looks at the main thread's stack every millisecond and counts the part of the innermost
frame that belongs to one. The main thread's CPU is divided by these counts, so that what the event
loop takes for itself is in each part's share. Other threads are told by name.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

import psutil

_EVERY = 0.001
_PARTS = (
    ("codec", ("/schemas/", "/fastavro/")),
    ("commit", ("/commit",)),
    ("produce", ("/topology/publisher", "/topology/polled", "/agents/publishing")),
    ("window", ("/agents/aggregation/",)),
    ("decision", ("/agents/decision/", "/topology/state_log", "/topology/controls")),
    ("on-call", ("/agents/oncall/", "/agents/following", "/aiohttp/")),
    ("batch", ("/agents/detection/", "/agents/batches", "/agents/fairness", "/bench/job")),
    ("consume", ("/topology/fetching", "/topology/runs", "/faust/", "/aiokafka/")),
    ("batch", ("/agents/intake", "/agents/dead_letters")),
)
"""Parts by what a file's path has in it; of frames of equal depth the first part."""
_COMMITTING = frozenset({"commit", "force_commit", "_commit_tps", "_commit_offsets", "_new_offset"})
_THREADS = (
    ("profile", "profiler"),
    ("fetch", "consume"),
    ("rdk:", "broker connections"),
    ("producer-poll", "produce"),
    ("judge", "batch"),
    ("Thread", "group"),  # Faust's own: heartbeats and commits
)
"""Parts of threads by how their names begin."""


def part_of_thread(name: str) -> str:
    return next((part for start, part in _THREADS if name.startswith(start)), "other")


def part_of(frame: FrameType | None) -> str | None:
    """The part that the innermost known frame of a stack belongs to; ``None``, as when idle."""
    while frame is not None:
        code = frame.f_code
        if code.co_name in _COMMITTING:
            return "commit"
        for part, marks in _PARTS:
            if any(mark in code.co_filename for mark in marks):
                return part
        frame = frame.f_back
    return None


class Profile:
    """Begins when ``begin`` exists, and writes to ``out`` whenever ``out`` is gone."""

    def __init__(self, begin: Path, out: Path) -> None:
        self._begin, self._out = begin, out
        self._main = threading.main_thread().ident or 0
        self._seen: Counter[str] = Counter()
        threading.Thread(target=self._run, name="profile", daemon=True).start()

    def _run(self) -> None:
        while not self._begin.exists():
            time.sleep(0.05)
        # The main thread is to be looked at where it is, and not where it next waits for something.
        sys.setswitchinterval(1e-5)
        clock = time.pthread_getcpuclockid(self._main)
        before, others = time.clock_gettime(clock), _others()
        told_at = time.monotonic()
        while True:
            time.sleep(_EVERY)
            part = part_of(sys._current_frames().get(self._main))
            if part is not None:
                self._seen[part] += 1
            if time.monotonic() > told_at + 1 and not self._out.exists():
                told_at = time.monotonic()
                share = (time.clock_gettime(clock) - before) / max(self._seen.total(), 1)
                told = {
                    "main": {name: count * share for name, count in self._seen.items()},
                    "threads": {
                        name: spent - others.get(name, 0) for name, spent in _others().items()
                    },
                }
                self._out.with_suffix(".part").write_text(json.dumps(told))
                self._out.with_suffix(".part").rename(self._out)


def _others() -> dict[str, float]:
    """CPU seconds of this process's other threads, by name."""
    process = psutil.Process()
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    spent: Counter[str] = Counter()
    for thread in process.threads():
        if thread.id == process.pid:
            continue
        name = names.get(thread.id) or "rdk:"  # only librdkafka's are not Python's
        spent[name] += thread.user_time + thread.system_time  # type: ignore[assignment]
    return dict(spent)
