"""Bundles are swapped under a worker that judges a steady load, and a whole line-up at work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from confluent_kafka import Message, Producer
from msgspec.structs import replace

from agents.detection.lineup import in_canary
from schemas import BundlesDisagreed, DetectionsMade, topics
from tests import signed_in
from tests.brokers import BrokerKind, running_broker
from tests.builders import SECOND, frame_sampled
from tests.detection.test_decode import picture
from tests.e2e.support import CODEC, READY_SECONDS, Reader, free_port_pair, get
from tests.waiting import wait_until
from topology.app import Role
from topology.settings import Settings
from topology.topic_admin import apply_topics

pytestmark = pytest.mark.e2e
SHIPPED = Path(__file__).parents[2] / "agents/detection/bundles/lite0"
STREAMS = 24
FRAMES_A_SECOND = 48
Place = tuple[int, int]
"""Partition and offset of a frame sample."""


def write_bundle(folder: Path, version: str, threshold: float | None = None) -> None:
    """The bundle that ships as ``version``; all signals on from ``threshold`` where it is given."""
    if not folder.exists():
        copytree(SHIPPED, folder)
    text = (SHIPPED / "manifest.toml").read_text()
    text = re.sub(r"(?m)^version = .*$", f'version = "{version}"', text, count=1)
    if threshold is not None:
        text = re.sub(r"(?m)^threshold = .*$", f"threshold = {threshold}", text)
    (folder / "manifest.toml").write_text(text)


@dataclass
class Worker:
    """One detection worker, and what it says of itself."""

    bootstrap: str
    url: str

    def ready(self) -> bool:
        return bool(get(f"{self.url}/ready").get("ready"))

    def runs(self, part: str) -> dict[str, Any]:
        found = get(f"{self.url}/api/v1/worker").get("runs", {}).get(part, {})
        assert isinstance(found, dict)
        return found


@contextmanager
def detection_worker(runtime_dir: Path, bundle: Path, kind: BrokerKind) -> Iterator[Worker]:
    """A broker with the topics, and a worker that judges by ``bundle``, ready."""
    settings, port = Settings(runtime_dir=runtime_dir), free_port_pair()
    with running_broker(kind, runtime_dir) as bootstrap:
        apply_topics(settings, bootstrap)
        environment = {
            **os.environ,
            "FIREBREAK_BOOTSTRAP_SERVERS": bootstrap,
            "FIREBREAK_RUNTIME_DIR": str(runtime_dir),
            "FIREBREAK_WEB_KEY": signed_in.KEY,
            "FIREBREAK_BUNDLE": str(bundle),
        }
        command = [sys.executable, "-m", "topology", "worker", Role.DETECTION]
        process = subprocess.Popen([*command, "--web-port", str(port)], env=environment)
        worker = Worker(bootstrap, f"http://127.0.0.1:{port}")
        try:
            wait_until(worker.ready, READY_SECONDS, about=process.poll)
            yield worker
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()


@dataclass
class SteadyLoad:
    """Produces frames of all streams by turns until it is left; where they lie is kept."""

    bootstrap: str
    streams_at: dict[Place, str] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> SteadyLoad:
        self._thread = threading.Thread(target=self._produce)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()

    def _produce(self) -> None:
        producer = Producer(
            {"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "linger.ms": 5}
        )
        first = frame_sampled(payload=picture(320, 240))
        number = 0
        while not self._stop.wait(1 / FRAMES_A_SECOND):
            stream = f"stream-{number % STREAMS}"
            frame = replace(
                first,
                stream_id=stream,
                sequence=number // STREAMS,
                captured_at=int(time.time() * SECOND),
            )
            producer.produce(
                topics.FRAME_SAMPLES,
                key=stream.encode(),
                value=CODEC.encode(frame),
                on_delivery=self._note,
            )
            producer.poll(0)
            number += 1
        assert producer.flush(20) == 0

    def _note(self, error: object, message: Message) -> None:
        assert error is None
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        self.streams_at[partition, offset] = (message.key() or b"").decode()


def version_of(bundle: str) -> str:
    return bundle.split("/")[1]


def judged(detections: Reader) -> Counter[tuple[Place, str]]:
    """How often each frame was judged by each version."""
    return Counter(
        ((batch.frame_partition, item.offset), version_of(batch.bundle))
        for batch in detections.events()
        for item in batch.detections
    )


def test_bundles_swapped_under_load_judge_every_frame_once(
    tmp_path: Path, broker_kind: BrokerKind
) -> None:
    """By the folder's content, then by the line-up; a bundle that is broken comes in between.

    versions   a ──> b (the live folder) ──> broken ──> c (the line-up)
    """
    now, following = tmp_path / "now", tmp_path / "following"
    write_bundle(now, "a")
    write_bundle(following, "c")
    line_up = tmp_path / "line-up.toml"
    line_up.write_text('live = "now"')
    with (
        detection_worker(tmp_path, line_up, broker_kind) as worker,
        Reader(worker.bootstrap, DetectionsMade) as detections,
    ):

        def judges(version: str) -> bool:
            return any(by == version for _, by in judged(detections))

        with SteadyLoad(worker.bootstrap) as load:
            wait_until(lambda: judges("a"), 30)
            write_bundle(now, "b")
            wait_until(lambda: judges("b"), 30)

            next(now.glob("*.onnx")).write_bytes(b"half of it")
            wait_until(lambda: worker.runs("live").get("failure") is not None, 30)
            assert "SHA-256" in worker.runs("live")["failure"]
            assert worker.ready()
            before = judged(detections).total()
            wait_until(lambda: judged(detections).total() > before + STREAMS, 30)

            line_up.write_text('live = "following"')
            wait_until(lambda: judges("c"), 30)
        wait_until(lambda: judged(detections).total() >= len(load.streams_at), 30)

        found = judged(detections)
        assert set(found.values()) == {1}
        assert {place for place, _ in found} == load.streams_at.keys()
        assert len({place for place, _ in found}) == found.total()
        digests = {batch.bundle: batch.bundle_digest for batch in detections.events()}
        assert len(set(digests.values())) == 3
        assert worker.runs("live")["digest"] == digests[worker.runs("live")["bundle"]]
        for versions in versions_by_partition(detections):
            assert versions == sorted(set(versions))


def versions_by_partition(detections: Reader) -> list[list[str]]:
    """For each partition the versions in the order of its records, runs of one taken together."""
    by_partition = defaultdict(list)
    for message, batch in zip(detections.messages, detections.events(), strict=True):
        by_partition[message.partition()].append(version_of(batch.bundle))
    return [[version for version, _ in groupby(versions)] for versions in by_partition.values()]


def test_a_canary_judges_its_share_and_a_shadow_is_heard_where_it_disagrees(
    tmp_path: Path, broker_kind: BrokerKind
) -> None:
    write_bundle(tmp_path / "now", "a")
    write_bundle(tmp_path / "canary", "b")
    write_bundle(tmp_path / "tried", "c", threshold=0.0)
    line_up = tmp_path / "line-up.toml"
    line_up.write_text(
        """
        live = "now"
        canary = {bundle = "canary", share = 0.4}
        shadow = {bundle = "tried"}
        """
    )
    with (
        detection_worker(tmp_path, line_up, broker_kind) as worker,
        Reader(worker.bootstrap, DetectionsMade) as detections,
        Reader(worker.bootstrap, BundlesDisagreed) as disagreements,
    ):
        with SteadyLoad(worker.bootstrap) as load:
            wait_until(lambda: judged(detections).total() > 4 * STREAMS, 30)
        wait_until(lambda: judged(detections).total() == len(load.streams_at), 30)

        versions = dict(judged(detections).keys())
        assert versions == {
            place: "b" if in_canary(stream, 0.4) else "a"
            for place, stream in load.streams_at.items()
        }
        assert set(versions.values()) == {"a", "b"}

        def shadowed(*outcomes: str) -> int:
            counts = get(f"{worker.url}/api/v1/worker").get("counts", {})
            return sum(counts.get(f"detection shadow frames {outcome}", 0) for outcome in outcomes)

        def told() -> list[BundlesDisagreed]:
            return [event for event in disagreements.events() if event.signal == "firearm"]

        wait_until(lambda: shadowed("judged", "skipped", "failed") == len(versions), 30)
        wait_until(lambda: len(told()) == shadowed("judged") > 0, 30)
        for event in told():
            place = event.frame.partition, event.frame.offset
            assert event.stream_id == load.streams_at[place]
            assert version_of(event.bundle) == versions[place]
            assert version_of(event.shadow_bundle) == "c"
            assert event.score < event.threshold
            assert event.shadow_threshold == 0.0
