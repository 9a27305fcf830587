"""Processes that are killed: nothing is lost, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from schemas import DetectionsMade, topics
from tests.brokers import BrokerKind
from tests.builders import SECOND, frame_sampled
from tests.detection.test_decode import picture
from tests.e2e.support import CODEC, Reader, free_port_pair, get, produce, running_stack
from tests.waiting import wait_until
from topology.announcement import find_running_broker
from topology.app import Role
from topology.settings import Settings

pytestmark = pytest.mark.e2e
STREAMS, FRAMES = 12, 50


def test_a_detection_worker_killed_midway_leaves_no_frame_unjudged(
    tmp_path: Path, broker_kind: BrokerKind
) -> None:
    with (
        running_stack(tmp_path, broker_kind) as stack,
        Reader(stack.bootstrap, DetectionsMade) as detections,
    ):

        def judged() -> set[tuple[str, int]]:
            return {
                (item.stream_id, item.sequence)
                for batch in detections.events()
                for item in batch.detections
            }

        now = int(time.time()) * SECOND
        first = frame_sampled(payload=picture(1280, 720), captured_at=now)
        frames = [
            replace(
                first,
                stream_id=f"stream-{stream}",
                sequence=number,
                captured_at=now + number * SECOND // 2,
            )
            for number in range(FRAMES)
            for stream in range(STREAMS)
        ]
        records = [(frame.stream_id.encode(), CODEC.encode(frame)) for frame in frames]
        produce(stack.bootstrap, topics.FRAME_SAMPLES, records)
        wait_until(lambda: len(judged()) > 0, 30)
        killed = stack.fleet.pids[Role.DETECTION]
        assert len(judged()) < len(frames)
        os.kill(killed, signal.SIGKILL)
        said: list[str] = []

        def all_judged() -> bool:
            said.extend(stack.check())
            return len(judged()) == len(frames)

        wait_until(all_judged, 90)
        assert stack.fleet.pids[Role.DETECTION] != killed
        assert any("detection worker ended with -9" in line for line in said)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.skipif(sys.platform != "linux", reason="children end with a killed parent on Linux")
def test_up_leaves_no_process_behind_however_it_ends(tmp_path: Path, how: signal.Signals) -> None:
    port = free_port_pair()
    environment = {
        **os.environ,
        "FIREBREAK_RUNTIME_DIR": str(tmp_path),
        "FIREBREAK_WEB_PORT": str(port),
    }
    up = subprocess.Popen([sys.executable, "-m", "topology", "up"], env=environment)
    try:
        wait_until(lambda: bool(get(f"http://127.0.0.1:{port}/live")), 30)
        wait_until(lambda: bool(get(f"http://127.0.0.1:{port + 1}/live")), 30)
        children = psutil.Process(up.pid).children(recursive=True)
        assert len(children) >= 3
        up.send_signal(how)
        code = up.wait(30)
        assert code == (0 if how is signal.SIGTERM else -9)
        wait_until(lambda: not any(_alive(child) for child in children), 10)
        assert find_running_broker(Settings(runtime_dir=tmp_path)) is None
    finally:
        up.kill()


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
