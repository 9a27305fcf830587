"""The topology or a peer at its work, on brokers of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from schemas import (
    EscalationRaised,
    ReferralPrepared,
    RiskAssessed,
    SamplingBoostRequested,
    TakedownRequested,
)
from tests.bench.harness import BrokerKind, Cost, Ground, Risks, fresh_ground, measure, processes
from tests.bench.job import END, Part, Source
from tests.bench.ours import our_workers
from tests.e2e.support import Reader
from tests.e2e.workers import PATIENT, policy_file

Detector = Literal["null", "model"]
Ids = dict[str, set[str]]
"""Of the events of each kind."""

_KINDS = (
    RiskAssessed,
    TakedownRequested,
    EscalationRaised,
    SamplingBoostRequested,
    ReferralPrepared,
)
_SETTLED_SECONDS = 2.0


class Side:
    """The topology or a peer at its work, on brokers of its own."""

    def __init__(self, ground: Ground, pids: Sequence[int]) -> None:
        self._ground, self._pids = ground, pids
        self._source, self._risks = Source(ground.bootstrap), Risks(ground)
        self._published = [Reader(ground.bootstrap, kind) for kind in _KINDS]

    def play(self, part: Part) -> Cost:
        return measure(self._ground, self._pids, self._source, self._risks, part)

    def read(self) -> Ids:
        """What has been published so far, but for the risks of the parts' ends."""
        kinds = zip(_KINDS, self._published, strict=True)
        return {
            kind.__name__: {it.id for it in reader.events() if not it.stream_id.startswith(END)}
            for kind, reader in kinds
        }

    def read_settled(self) -> Ids:
        """What has been published once nothing more comes.

        Effects follow their risks, and what is in one partition may be read later than what was
        written after it in another.
        """
        found, since = self.read(), time.monotonic()
        while time.monotonic() - since < _SETTLED_SECONDS:
            if (now := self.read()) != found:
                found, since = now, time.monotonic()
        return found

    def close(self) -> None:
        self._risks.close()
        for reader in self._published:
            reader.__exit__()


@contextmanager
def side(kind: BrokerKind, name: str, detector: Detector) -> Iterator[Side]:
    """``name`` is a peer's, or ``ours``. Its first part has it get ready as well."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="firebreak-peer")))
        ground = running.enter_context(fresh_ground(kind))
        start = _ours if name == "ours" else partial(_peer, name)
        one = Side(ground, running.enter_context(start(ground, folder / "run", detector)))
        running.callback(one.close)
        yield one


@contextmanager
def _ours(ground: Ground, folder: Path, detector: Detector) -> Iterator[list[int]]:
    with our_workers(ground, folder, detector) as workers:
        yield workers.pids


@contextmanager
def _peer(name: str, ground: Ground, folder: Path, detector: Detector) -> Iterator[list[int]]:
    policy = policy_file(folder.with_name("policy.toml"), *PATIENT)
    environment = {
        "FIREBREAK_BOOTSTRAP_SERVERS": ground.bootstrap,
        "FIREBREAK_RUNTIME_DIR": str(folder),
        "FIREBREAK_POLICY": str(policy),
        "FIREBREAK_BENCH_DETECTOR": detector,
    }
    with processes([["-m", "tests.bench.peers", name]], environment) as running:
        yield [process.pid for process in running]
