"""The detection agent with a whole line-up: who judges which frame, and that one does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.batches import Batching
from agents.detection import agent as detection
from agents.detection.bundle import InferenceFailed
from agents.detection.claims import Claims
from agents.detection.detector import Detector, Judge
from agents.detection.lineup import Part, in_canary
from agents.detection.serving import Load, Serving
from schemas import BundlesDisagreed, DetectionsMade, EventDeadLettered
from tests.builders import START, frame_sampled
from tests.detection.serving import load, serve, settle, sifting_of, write_version
from tests.detection.test_decode import picture
from tests.shell import CODEC, Bench, FixedSize, put_run, record
from tests.waiting import wait_until_async

STREAMS = [f"stream-{number}" for number in range(40)]
SHARE = 0.5
LINE_UP = f"""
live = "live"
[canary]
bundle = "canary"
share = {SHARE}
"""
PICTURE = picture()


@dataclass
class Work:
    """The agent at work. Frames are numbered as they are put, and so are their offsets."""

    made: Bench
    serving: Serving
    put: Callable[[Iterable[str]], Any]
    streams: list[str] = field(default_factory=list)

    async def judge(self, streams: Iterable[str]) -> None:
        """Put a frame of each of ``streams``, and wait until all are judged."""
        await self.put(streams)
        await wait_until_async(
            lambda: self.made.counts["detection events"] == len(self.streams), 20
        )

    @property
    def batches(self) -> list[DetectionsMade]:
        return self.made.publisher.events(DetectionsMade)

    def judged_by(self) -> dict[int, str]:
        """The version that judged each offset; no offset may occur twice."""
        by = [
            (item.offset, batch.bundle.split("/")[1])
            for batch in self.batches
            for item in batch.detections
        ]
        assert len(dict(by)) == len(by)
        return dict(by)


@asynccontextmanager
async def at_work(source: Path, load: Load = load) -> AsyncIterator[Work]:
    made = Bench("detection")
    serving = serve(made, source, load)
    serving.begin()
    detector = Detector(threads=2, timeout=10.0)
    batching = Batching(FixedSize(8), hold=64, wait=0.05, at_once=3)
    detection.register(
        made.app,
        CODEC,
        serving,
        detector,
        made.intake,
        batching=batching,
        sifting=sifting_of(made),
        claims=Claims(CODEC, None),
    )
    async with made.app.agents["detection"].test_context() as agent:

        async def put(streams: Iterable[str]) -> None:
            for stream in streams:
                frame = frame_sampled(stream_id=stream, payload=PICTURE, sequence=len(work.streams))
                work.streams.append(stream)
                number, key = len(work.streams) - 1, stream.encode()
                one = record(CODEC.encode(frame), number, key=key, appended_at=START)
                await put_run(agent, [one])

        work = Work(made, serving, put)
        yield work
    await serving.on_stop()
    detector.close()


def line_up(folder: Path, text: str = LINE_UP) -> Path:
    """A line-up of versions 1, live, 2, canary, and 3, which finds no firearm in anything."""
    write_version(folder / "live", "1")
    write_version(folder / "canary", "2")
    write_version(folder / "tried", "3", ("threshold = 0.2", "threshold = 0.99"))
    file = folder / "line-up.toml"
    file.write_text(text)
    return file


async def test_the_canary_judges_its_streams_and_live_the_others(tmp_path: Path) -> None:
    async with at_work(line_up(tmp_path)) as work:
        await work.judge(STREAMS * 3)
    expected = {n: "2" if in_canary(stream, SHARE) else "1" for n, stream in enumerate(STREAMS * 3)}
    assert work.judged_by() == expected
    assert set(expected.values()) == {"1", "2"}


async def test_records_name_the_one_bundle_that_made_them(tmp_path: Path) -> None:
    async with at_work(line_up(tmp_path)) as work:
        await work.judge(STREAMS)
    judges = work.serving.judges
    assert judges.canary is not None
    digests = {"tiny/1": judges.live.bundle.digest, "tiny/2": judges.canary.bundle.digest}
    assert {batch.bundle: batch.bundle_digest for batch in work.batches} == digests
    ids = [item.id for item in work.made.publisher.kept]
    assert len(set(ids)) == len(ids)


async def test_what_the_canary_fails_on_is_judged_by_the_live_bundle(tmp_path: Path) -> None:
    class Failing:
        def __init__(self, bundle: Any) -> None:
            self._bundle = bundle

        def __getattr__(self, name: str) -> Any:
            return getattr(self._bundle, name)

        def judge(self, frames: Any) -> Any:
            raise InferenceFailed("out of order")

    def loading(folder: Path, part: Part) -> Judge:
        judge = load(folder, part)
        if part is not Part.CANARY:
            return judge
        return Judge(Failing(judge.bundle), judge.decode)  # type: ignore[arg-type]

    async with at_work(line_up(tmp_path), loading) as work:
        await work.judge(STREAMS)
    assert work.judged_by() == dict.fromkeys(range(len(STREAMS)), "1")
    assert work.made.publisher.events(EventDeadLettered) == []


async def test_a_swap_between_batches_loses_and_doubles_no_frame(tmp_path: Path) -> None:
    async with at_work(line_up(tmp_path)) as work:
        await work.put(STREAMS)
        write_version(tmp_path / "live", "4")
        await settle(work.serving)
        await work.judge(STREAMS)
    judged = work.judged_by()
    assert judged.keys() == set(range(2 * len(STREAMS)))
    assert {judged[offset] for offset in range(len(STREAMS), len(judged))} == {"4", "2"}


async def test_the_shadow_sees_the_same_frames_and_only_its_disagreements_go_out(
    tmp_path: Path,
) -> None:
    file = line_up(tmp_path, LINE_UP + '[shadow]\nbundle = "tried"\n')
    async with at_work(file) as work:
        await work.judge(STREAMS)
        shadowed = "detection shadow frames judged"
        await wait_until_async(lambda: work.made.counts[shadowed] == len(STREAMS), 20)
    found = work.made.publisher.events(BundlesDisagreed)
    assert sorted(event.frame.offset for event in found) == list(range(len(STREAMS)))
    judged = work.judged_by()
    assert all(event.bundle == f"tiny/{judged[event.frame.offset]}" for event in found)
    assert {event.shadow_bundle for event in found} == {"tiny/3"}
    assert {event.signal for event in found} == {"firearm"}
