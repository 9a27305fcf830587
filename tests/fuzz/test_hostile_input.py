"""Hostile payloads, records and headers: an answer to each, in time, and nothing left behind."""

from __future__ import annotations

import gc
import random
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.dead_letters import Rejection
from agents.detection.decode import DecodeBounds
from agents.detection.decoders import Decoders
from schemas import EVENT_TYPES, Codec, EventUnreadable, read_header, read_traceparent
from schemas.signatures import NotIssued, Verifier, key_set, new_private_key
from tests.builders import frame_sampled
from tests.detection.test_decode import input_spec
from tests.fuzz.mutate import mutated
from tests.fuzz.seeds import corpus, payloads, records

RECORDS = 400
"""Of each event."""
PAYLOADS = 1200
"""Of each codec."""
SECONDS = 2.0
"""Of CPU that one input may take; a frame that takes longer is ended."""
GUIDED_SECONDS = 60
"""libFuzzer's are of the clock, and the machine may be busy with other things."""
GUIDED_MB = 2048
"""What the fuzzer itself has, and what one input may take: a decoder has 1 GiB for it."""
GROWTH_MB = 64
RECORD_MB = 16
"""What reading a record of some hundred bytes may take, whatever lengths it claims."""
LONGEST_REASON = 2000
CODEC = Codec()
BOUNDS = DecodeBounds(payload_bytes=1 << 20, pixels=1920 * 1080, seconds=SECONDS)
SPEC = input_spec()
PAYLOADS_OF = payloads()
RECORDS_OF = records()


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    decoders = Decoders(BOUNDS, ahead=1)
    yield decoders
    decoders.close()


def rss_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


@contextmanager
def traced() -> Iterator[Callable[[], float]]:
    """Tells how many megabytes more than at the beginning were in use at once, at most."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield lambda: (tracemalloc.get_traced_memory()[1] - before) / 1e6
    finally:
        tracemalloc.stop()


class DecoderTime:
    """The CPU time of the one decoder that is kept, and of those before it that have ended."""

    def __init__(self) -> None:
        (self._keeper,) = psutil.Process().children()
        (self._decoder,) = self._keeper.children()

    def seconds(self) -> float:
        try:
            now = self._decoder.cpu_times()
        except psutil.NoSuchProcess:
            (self._decoder,) = self._keeper.children()
            now = self._decoder.cpu_times()
        ended = self._keeper.cpu_times()
        return now.user + now.system + ended.children_user + ended.children_system


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_broken_record_is_read_or_refused(name: str) -> None:
    chance, event_type = random.Random(name), EVENT_TYPES[name]
    valid = [RECORDS_OF[event_type], *RECORDS_OF.values()]
    values = [mutated(chance, valid) for _ in range(RECORDS)]
    slowest, longest = 0.0, 0
    with traced() as peak_mb:
        for value in values:
            began = time.process_time()
            try:
                CODEC.decode(value, event_type)
            except EventUnreadable as error:
                longest = max(longest, len(str(error)))
            slowest = max(slowest, time.process_time() - began)
        assert peak_mb() < RECORD_MB
    assert slowest < SECONDS
    assert longest < LONGEST_REASON


@given(st.sampled_from(sorted(EVENT_TYPES)), st.binary(max_size=200))
def test_whatever_follows_a_schemas_fingerprint_is_read_or_refused(name: str, tail: bytes) -> None:
    event_type = EVENT_TYPES[name]
    with suppress(EventUnreadable):
        CODEC.decode(RECORDS_OF[event_type][:10] + tail, event_type)


@pytest.mark.parametrize("codec", PAYLOADS_OF)
def test_a_broken_payload_is_a_picture_or_refused(codec: str, decoders: Decoders) -> None:
    """Whatever it does to its decoder, the next one is decoded."""
    chance, causes = random.Random(codec), Counter[str]()
    decoders.decode(SPEC, [frame_sampled(codec=codec, payload=PAYLOADS_OF[codec][0])])
    before, used = rss_mb(psutil.Process()), DecoderTime()
    slowest = 0.0
    for _ in range(PAYLOADS):
        payload = mutated(chance, PAYLOADS_OF[codec])[: 1 << 20]
        began = used.seconds()
        (found,) = decoders.decode(SPEC, [frame_sampled(codec=codec, payload=payload)])
        slowest = max(slowest, used.seconds() - began)
        causes[found.cause if isinstance(found, Rejection) else "decoded"] += 1
    assert sum(causes.values()) == PAYLOADS
    assert causes["decoded"] < PAYLOADS
    assert slowest < SECONDS
    gc.collect()
    assert rss_mb(psutil.Process()) - before < GROWTH_MB
    (picture,) = decoders.decode(SPEC, [frame_sampled(payload=PAYLOADS_OF["jpeg"][0])])
    assert isinstance(picture, np.ndarray)


def test_decoders_do_not_grow(decoders: Decoders) -> None:
    """The same broken payloads again and again take no more memory than at first."""
    chance = random.Random(1)
    frames = [
        frame_sampled(codec=codec, payload=mutated(chance, valid))
        for codec, valid in PAYLOADS_OF.items()
        for _ in range(20)
    ]

    def largest() -> float:
        keepers = psutil.Process().children()
        return max(rss_mb(child) for keeper in keepers for child in keeper.children())

    for _ in range(3):
        decoders.decode(SPEC, frames)
    before = largest()
    for _ in range(20):
        decoders.decode(SPEC, frames)
    assert largest() - before < GROWTH_MB


header_values = st.one_of(st.none(), st.binary(max_size=100))


@given(st.lists(st.tuples(st.sampled_from(["traceparent", "ce_id", "", "é"]), header_values)))
@settings(max_examples=1000)
def test_whatever_headers_say_is_read(headers: list[tuple[str, bytes | None]]) -> None:
    read_header(headers, "ce_id")
    read_traceparent(headers)


VERIFIER = Verifier(key_set([new_private_key()]))


@given(st.binary(max_size=300), st.binary(max_size=100))
@settings(max_examples=500)
def test_whatever_a_signature_says_is_refused(signature: bytes, value: bytes) -> None:
    for event_type in EVENT_TYPES.values():
        with pytest.raises(NotIssued):
            VERIFIER.verify(event_type, value, [("signature", signature)])


@pytest.mark.parametrize(
    ("target", "runs"), [("codec", 100_000), ("headers", 100_000), ("payload", 8_000)]
)
def test_what_coverage_leads_to_is_survived(target: str, runs: int, tmp_path: Path) -> None:
    """Atheris changes what leads to code that nothing before led to, beginning with what is valid;
    an input that hangs or takes too much memory ends it."""
    pytest.importorskip("atheris", reason="Atheris has no wheel for this machine")
    seeds = corpus(target)
    for number, seed in enumerate(seeds):
        (tmp_path / str(number)).write_bytes(seed)
    bounds = [f"-timeout={GUIDED_SECONDS}", f"-rss_limit_mb={GUIDED_MB}", "-max_len=4096"]
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.guided",
            target,
            f"-runs={runs}",
            *bounds,
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert f"{len(seeds)} files found" in ran.stderr
    assert f"Done {runs} runs" in ran.stderr
