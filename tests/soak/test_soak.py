"""A minute of steady load: the short form of ``make soak``."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.kafka.jars import kafka_missing
from tests.soak.__main__ import soak

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kafka,
    pytest.mark.skipif(kafka_missing() is not None, reason=str(kafka_missing())),
]
SECONDS = 75.0


def test_streams_that_come_and_go_leave_nothing_behind(tmp_path: Path) -> None:
    """Memory settles within minutes, which only the long form has."""
    noted = tmp_path / "samples.jsonl"
    told = soak(SECONDS, noted)
    assert "broken_off" not in told, told["broken_off"]
    assert len(noted.read_text().splitlines()) == len(told["samples"]) + told["samples_failed"]
    assert told["frames_in"] == told["frames_acknowledged"] > 0
    assert told["unjudged"] == told["dead_lettered"] == 0
    first, last = told["first"], told["last"]
    assert told["streams_begun"] > told["streams_at_once"]
    assert told["drift"]["files"] <= 0
    assert told["drift"]["threads"] <= 0
    assert last["descriptors"] <= first["descriptors"] * 1.05
    assert told["most_waiting"] <= told["frames_per_second"] * 10
