"""Decoding in processes that may end: what a payload does to its decoder, it does to that alone."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np
import psutil
import pytest
from PIL import Image

from agents.dead_letters import DeadLetterCause, Rejection
from agents.detection.decode import DecodeBounds, Decoder
from agents.detection.decoder_memory import MOST_FRAMES, room
from agents.detection.decoders import Decoders
from tests.builders import frame_sampled
from tests.detection.test_decode import input_spec, key_frame, picture, pixels_of
from tests.waiting import wait_until

BOUNDS = DecodeBounds(payload_bytes=4 << 20, pixels=7680 * 4320)
SPEC = input_spec()
LIMIT = 60.0


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    decoders = Decoders(BOUNDS, ahead=1)
    yield decoders
    decoders.close()


def keepers() -> list[psutil.Process]:
    """The processes that were started to decode."""
    started = psutil.Process().children()
    return [it for it in started if any("decoder_process" in part for part in it.cmdline())]


def children() -> list[psutil.Process]:
    return [child for keeper in keepers() for child in keeper.children()]


def of_many_scans(count: int, width: int = 7680, height: int = 4320) -> bytes:
    """A JPEG whose last scan comes again and again."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (128, 128, 128)).save(buffer, "JPEG", progressive=True)
    jpeg = buffer.getvalue()
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * count + jpeg[-2:]


SLOW = frame_sampled(stream_id="slow", payload=of_many_scans(8))
"""It takes long enough to be met at it, and is decoded in time."""
PLAIN = [frame_sampled(stream_id=f"s-{number}", payload=picture()) for number in range(5)]


@contextmanager
def ending_decoders(times: int) -> Iterator[list[int]]:
    """Whenever a decoder has worked for 50 ms of CPU, it meets a segmentation fault."""
    ended: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005) and len(ended) < times:
            for child in children():
                with suppress(psutil.Error):
                    if child.pid not in ended and sum(child.cpu_times()[:2]) > 0.05:
                        os.kill(child.pid, signal.SIGSEGV)
                        ended.append(child.pid)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield ended
    finally:
        over.set()
        thread.join()


def test_pictures_are_those_of_a_decoder_in_this_process(decoders: Decoders) -> None:
    frames = [
        frame_sampled(payload=picture(file_format="PNG"), codec="png"),
        frame_sampled(payload=key_frame("libx264"), codec="h264"),
        frame_sampled(payload=b"", codec="jpeg"),
        frame_sampled(payload=b"nonsense", codec="jpeg"),
        frame_sampled(payload=picture(), codec="gif"),
        *PLAIN,
    ]
    here = Decoder(SPEC, BOUNDS).decode_all(frames)
    for expected, found in zip(here, decoders.decode(SPEC, frames), strict=True):
        if isinstance(expected, Rejection):
            assert found == expected
        else:
            assert np.array_equal(pixels_of(found), expected)


def test_each_model_gets_pictures_as_it_wants_them(decoders: Decoders) -> None:
    for resize in ("squash", "letterbox", "crop"):
        spec = input_spec(resize)
        (found,) = decoders.decode(spec, [PLAIN[0]])
        here = pixels_of(Decoder(spec, BOUNDS).decode(PLAIN[0]))
        assert np.array_equal(pixels_of(found), here)


def test_a_frame_that_ends_its_decoder_twice_is_blamed_and_no_other(decoders: Decoders) -> None:
    frames = [*PLAIN[:3], SLOW, *PLAIN[3:]]
    decoders.decode(SPEC, PLAIN)
    with ending_decoders(times=2) as ended:
        found = decoders.decode(SPEC, frames)
    assert len(ended) == 2
    refused = found.pop(3)
    assert isinstance(refused, Rejection)
    assert refused.cause is DeadLetterCause.DECODER_CRASHED
    assert refused.detail == "jpeg: the decoder ended by SIGSEGV"
    assert refused.stream_id == "slow"
    assert all(isinstance(it, np.ndarray) for it in found)
    assert isinstance(decoders.decode(SPEC, [SLOW])[0], np.ndarray)


def test_a_frame_whose_decoder_ends_once_is_not_blamed(decoders: Decoders) -> None:
    decoders.decode(SPEC, PLAIN)
    with ending_decoders(times=1) as ended:
        found = decoders.decode(SPEC, [PLAIN[0], SLOW, PLAIN[1]])
    assert len(ended) == 1
    assert all(isinstance(it, np.ndarray) for it in found)


def test_a_call_that_goes_on_for_too_long_is_ended() -> None:
    """It is not waited for: the decoder looks at its own clock between calls alone."""
    long = frame_sampled(stream_id="long", payload=of_many_scans(85, 11_000, 9_000))
    decoders = Decoders(replace(BOUNDS, pixels=100_000_000, seconds=0.1), ahead=1)
    try:
        # A second of work; where this process has to wait as long for its turn, it gets done.
        for _ in range(10):
            found = decoders.decode(SPEC, [PLAIN[0], long, PLAIN[1]])
            refused = found.pop(1)
            if isinstance(refused, Rejection):
                break
    finally:
        decoders.close()
    assert isinstance(refused, Rejection)
    assert refused.cause is DeadLetterCause.DECODE_TOO_SLOW
    assert refused.detail == "jpeg: over 0.1 s of CPU"
    assert refused.stream_id == "long"
    assert all(isinstance(it, np.ndarray) for it in found)


def test_a_decoder_that_died_at_rest_is_not_missed(decoders: Decoders) -> None:
    decoders.decode(SPEC, PLAIN)
    (child,) = children()
    child.kill()
    wait_until(lambda: [it.pid for it in children()] not in ([child.pid], []), LIMIT)
    assert all(isinstance(it, np.ndarray) for it in decoders.decode(SPEC, PLAIN))


def test_a_lost_process_is_replaced(decoders: Decoders) -> None:
    decoders.decode(SPEC, PLAIN)
    (keeper,) = keepers()
    keeper.kill()
    keeper.wait(LIMIT)
    assert all(isinstance(it, np.ndarray) for it in decoders.decode(SPEC, PLAIN))


def test_threads_decode_side_by_side(decoders: Decoders) -> None:
    with ThreadPoolExecutor(3) as threads:
        runs = [threads.submit(decoders.decode, SPEC, PLAIN * 20) for _ in range(6)]
        for run in runs:
            assert len(run.result(LIMIT)) == 100
            assert all(isinstance(it, np.ndarray) for it in run.result())
    assert len(keepers()) <= 3


def test_more_than_there_is_room_for_is_decoded_all_the_same(decoders: Decoders) -> None:
    large = picture(3840, 2160, "PNG")
    frames = [frame_sampled(payload=large + bytes(3 << 20), codec="png") for _ in range(5)]
    assert all(isinstance(it, np.ndarray) for it in decoders.decode(SPEC, frames))


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([1] * 100, MOST_FRAMES),
        ([4 << 20] * 3, 2),
        ([8 << 20, 1], 1),
        ([1, 8 << 20], 1),
        ([20 << 20], 1),
    ],
)
def test_room_is_for_payloads_and_pictures(lengths: list[int], expected: int) -> None:
    assert room(SPEC, lengths, 4 << 20) == expected


def test_nothing_of_the_workers_environment_reaches_a_decoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIREBREAK_SASL_PASSWORD", "secret")
    decoders = Decoders(BOUNDS, ahead=1)
    try:
        decoders.decode(SPEC, PLAIN[:1])
        for process in (*keepers(), *children()):
            assert "FIREBREAK_SASL_PASSWORD" not in process.environ()
    finally:
        decoders.close()


def test_a_decoder_can_take_memory_only_up_to_its_limit() -> None:
    decoders = Decoders(BOUNDS, ahead=1)
    try:
        decoders.decode(SPEC, PLAIN[:1])
        (child,) = children()
        limit, _ = child.rlimit(psutil.RLIMIT_AS)
        assert child.memory_info().vms < limit < child.memory_info().vms + (4 << 30)
        assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    finally:
        decoders.close()


def test_decoders_end_with_whoever_started_them() -> None:
    decoders = Decoders(BOUNDS, ahead=2)
    decoders.decode(SPEC, PLAIN)
    started = [*keepers(), *children()]
    assert len(started) >= 3
    decoders.close()
    _, alive = psutil.wait_procs(started, LIMIT)
    assert not alive


_ABANDONS = """
import os, sys
from agents.detection.decoders import Decoders
from tests.detection.test_decoders import BOUNDS, PLAIN, SPEC, children, keepers
decoders = Decoders(BOUNDS, ahead=1)
decoders.decode(SPEC, PLAIN)
print(*[it.pid for it in (*keepers(), *children())], flush=True)
os.kill(os.getpid(), 9)
"""


def test_decoders_end_with_a_worker_that_is_killed() -> None:

    told = subprocess.run(
        [sys.executable, "-c", _ABANDONS], stdout=subprocess.PIPE, check=False
    ).stdout
    pids = [int(pid) for pid in told.split()]
    assert len(pids) == 2
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids), LIMIT)
