"""Three brokers, the workers on them, and a load: what faults are done to."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.kafka.cluster import KafkaCluster, Properties
from schemas import topics
from tests.waiting import wait_until
from topology.app import Role
from topology.settings import Settings
from topology.topic_admin import apply_topics

from .crew import Crew
from .load import SteadyLoad
from .reading import Progress, end_offsets, uncommitted
from .surroundings import Link, Surroundings

BROKERS = 3
LEAVES_WITHIN = 10.0
"""Seconds from SIGTERM to the end of a worker."""
CAUGHT_UP_SECONDS = 180.0
_LOOK_SECONDS = 0.5
_DECIDED_FROM = (topics.DETECTIONS, topics.RISK)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a fault may use."""

    kafka: KafkaCluster
    crew: Crew
    chance: random.Random
    surroundings: Surroundings | None
    """Of a worker of each role, which is one more than the others."""
    progress: Progress
    left_after: list[float] = field(default_factory=list)
    """How many seconds each worker that was told to stop took."""
    left_with: list[int] = field(default_factory=list)
    """Exit codes of those that did not leave cleanly."""

    def left_in_time(self, allowed: Collection[int] = ()) -> bool:
        """Whether each worker that was told to stop left within ``LEAVES_WITHIN``, and cleanly or
        with one of the ``allowed`` exit codes."""
        in_time = max(self.left_after, default=0.0) <= LEAVES_WITHIN
        return in_time and set(self.left_with) <= set(allowed)


@contextmanager
def ground(
    folder: Path,
    *,
    copies: int,
    seed: int,
    surroundings: Surroundings | None = None,
    java_options: Sequence[str] = (),
) -> Iterator[Ground]:
    """Brokers, with ``java_options``, and workers, all ready. Raises ``KafkaMissing``."""
    linked: Properties = surroundings.properties if isinstance(surroundings, Link) else lambda _: {}
    cluster = KafkaCluster(folder / "kafka", BROKERS, java_options=java_options, properties=linked)
    with cluster as kafka:
        apply_topics(Settings(), kafka.bootstrap)
        with Crew(kafka.bootstrap, folder / "crew", copies) as crew:
            if surroundings is not None:
                for role in Role:
                    crew.start(role, surroundings.place(kafka.bootstrap))
                crew.await_ready()
            with Progress(kafka.bootstrap) as progress:
                yield Ground(kafka, crew, random.Random(seed), surroundings, progress)


def await_judged(ground: Ground, load: SteadyLoad) -> None:
    """Wait until every frame that the brokers have now is judged, and workers go on."""
    ends = end_offsets(ground.kafka.bootstrap, topics.FRAME_SAMPLES)
    left = [(partition, offset) for partition, end in ends.items() for offset in range(end)]
    deadline = time.monotonic() + CAUGHT_UP_SECONDS
    while True:
        ground.crew.replace_ended()
        done = ground.progress.done()
        left = [frame for frame in left if frame not in done]
        if not left:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(left)} of {sum(ends.values())} frames are not judged")
        time.sleep(_LOOK_SECONDS)


def await_quiet(ground: Ground, seconds: float = 3.0) -> None:
    """Wait until all that was judged is decided, and nothing more comes for ``seconds``."""
    watched = (topics.RISK, topics.TAKEDOWNS, topics.ESCALATIONS, topics.SAMPLING)
    bootstrap = ground.kafka.bootstrap
    since, before = time.monotonic(), [-1]

    def quiet() -> bool:
        nonlocal since, before
        ground.crew.replace_ended()
        ends = [end for topic in watched for end in end_offsets(bootstrap, topic).values()]
        left = uncommitted(bootstrap, f"firebreak-{Role.JUDGEMENT}", _DECIDED_FROM)
        if ends != before or left:
            since, before = time.monotonic(), ends
        return time.monotonic() - since > seconds

    wait_until(quiet, CAUGHT_UP_SECONDS, every=_LOOK_SECONDS)
