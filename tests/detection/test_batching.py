"""Judged frames become records of detections that brokers take, whatever was in the batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.dead_letters import Coordinates
from agents.detection.admission import MAX_ID, admit
from agents.detection.batching import MOST_AT_ONCE, Judged, compose
from agents.detection.bundle import ModelBundle, load_bundle
from schemas import Codec, DetectionsMade, topics
from tests.builders import START, frame_sampled

DEFAULT = Path(__file__).parents[2] / "agents/detection/bundles/lite0"


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    return load_bundle(DEFAULT, ("CPUExecutionProvider",), threads=1)


def judged(bundle: ModelBundle, offset: int, partition: int) -> Judged:
    longest = f"{offset:06}".ljust(MAX_ID, "s")
    frame = frame_sampled(stream_id=longest, session_id=longest, sequence=offset)
    assert admit(frame, START) is None
    source = Coordinates(topics.FRAME_SAMPLES, partition, offset, START, b"key")
    return Judged(frame, source, bundle, [0.5] * len(bundle.signal_names))


def test_a_large_batch_is_told_in_several_records_each_small_enough_for_brokers(
    bundle: ModelBundle,
) -> None:
    """Each frame once, in offset order; each record has an id of its own."""
    count = 2 * MOST_AT_ONCE + 1
    made = compose(
        judged(bundle, offset, partition) for offset in range(count) for partition in (1, 2)
    )
    batches = [it.event for it in made if isinstance(it.event, DetectionsMade)]
    assert [len(it.detections) for it in batches] == [MOST_AT_ONCE, MOST_AT_ONCE, 1] * 2
    for partition in (1, 2):
        mine = [it for it in batches if it.frame_partition == partition]
        assert [d.offset for it in mine for d in it.detections] == list(range(count))
    assert len({it.id for it in made}) == len(made)
    assert max(len(Codec().encode(it)) for it in batches) < 512 * 1024
