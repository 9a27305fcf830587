"""The aggregation agent's shell, in Faust's own test context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from faust.types import TP

from agents.aggregation import agent as aggregation
from agents.aggregation.ticking import publish_ticks
from agents.aggregation.windows import WindowSpec
from schemas import (
    DetectionsMade,
    EventDeadLettered,
    RiskAssessed,
    StreamsHeard,
    Ticked,
    topics,
)
from tests.builders import SECOND, START, detection, detections_made
from tests.shell import CODEC, Bench, record

SPEC = WindowSpec()


@dataclass
class Log:
    """A ``History`` that holds one partition's records, and remembers what was asked of it."""

    records: list[tuple[int, int, bytes]] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)

    def add(self, batch: DetectionsMade) -> bytes:
        appended_at = max((item.appended_at for item in batch.detections), default=0)
        return self.add_value(CODEC.encode(batch), appended_at)

    def add_value(self, value: bytes, appended_at: int) -> bytes:
        self.records.append((len(self.records), appended_at, value))
        return value

    async def read(
        self, topic: str, partition: int, since: int, until_offset: int
    ) -> list[tuple[int, bytes]]:
        self.asked.append((since, until_offset))
        return [
            (offset, value)
            for offset, appended_at, value in self.records
            if offset < until_offset and appended_at >= since
        ]


def bench(log: Log) -> Bench:
    return counted_bench(log)[0]


def counted_bench(log: Log) -> tuple[Bench, Callable[[], int]]:
    made = Bench("aggregation")
    return made, aggregation.register(made.app, CODEC, log, made.intake, SPEC)


async def put(made: Bench, offset: int, *values: bytes) -> None:
    """Put ``values`` through the agent, from ``offset`` on, in runs of two."""
    records = [
        record(value, number, topic=topics.DETECTIONS, partition=0, key=b"0")
        for number, value in enumerate(values, offset)
    ]
    await made.put(*(records[at : at + 2] for at in range(0, len(records), 2)))


async def test_detections_become_risk_keyed_by_stream() -> None:
    log = Log()
    made = bench(log)
    await put(made, 0, *(log.add(detections_made(detection(n, 0.9))) for n in range(4)))
    assert [risk.windows[0].hits for risk in made.publisher.events(RiskAssessed)] == [1, 2, 3, 4]
    assert {item.key for item in made.publisher.kept} == {b"stream-1"}


async def test_a_worker_that_takes_over_tells_what_the_first_would_have_told() -> None:
    log = Log()
    values = [log.add(detections_made(detection(n, 0.9))) for n in range(8)]
    straight, first, second = bench(log), bench(log), bench(log)
    await put(straight, 0, *values)
    await put(first, 0, *values[:5])
    await put(second, 5, *values[5:])
    told = first.publisher.events(RiskAssessed) + second.publisher.events(RiskAssessed)
    assert told == straight.publisher.events(RiskAssessed)


async def test_the_log_is_read_back_only_where_records_do_not_follow_on() -> None:
    log = Log()
    values = [log.add(detections_made(detection(n))) for n in range(6)]
    made = bench(log)
    await put(made, 0, *values[:3])
    await put(made, 3, values[3])
    assert len(log.asked) == 1
    await put(made, 5, values[5])
    assert log.asked[-1][1] == 5
    assert len(log.asked) == 2


async def test_of_a_partition_that_is_elsewhere_now_nothing_is_kept() -> None:
    log = Log()
    made, sessions = counted_bench(log)
    await put(made, 0, log.add(detections_made(detection(0, 0.9))))
    await made.app.on_partitions_assigned.send({TP(topics.DETECTIONS, 0), TP(topics.TICKS, 0)})
    assert sessions() == 1
    await made.app.on_partitions_assigned.send({TP(topics.DETECTIONS, 1)})
    assert sessions() == 0


async def test_a_record_that_comes_again_is_told_the_same_again() -> None:
    log = Log()
    values = [log.add(detections_made(detection(n, 0.9))) for n in range(3)]
    made = bench(log)
    await put(made, 0, *values)
    await put(made, 1, *values[1:])
    risks = made.publisher.events(RiskAssessed)
    assert risks[3:] == risks[1:3]


async def test_an_unreadable_record_is_dead_lettered_and_the_stream_goes_on_being_watched() -> None:
    log = Log()
    made = bench(log)
    first = log.add(detections_made(detection(0, 0.9)))
    broken = log.add_value(first[:-3], START)
    second = log.add(detections_made(detection(1, 0.9)))
    await put(made, 0, first, broken, second)
    (letter,) = made.publisher.events(EventDeadLettered)
    assert (letter.offset, letter.cause, letter.agent) == (1, "unreadable-event", "aggregation")
    assert made.publisher.events(RiskAssessed)[-1].windows[0].hits == 2


async def test_a_worker_that_takes_over_gets_past_malformed_frames() -> None:
    log = Log()
    values = [
        log.add(detections_made(item))
        for item in (detection(0), detection(1, 7.0), detection(2, 0.9))
    ]
    made = bench(log)
    await put(made, 2, values[2])
    (risk,) = made.publisher.events(RiskAssessed)
    assert risk.windows[0].frames == 2
    assert made.publisher.events(EventDeadLettered) == []


async def test_a_refused_frame_is_counted() -> None:
    log = Log()
    made = bench(log)
    await put(made, 0, log.add(detections_made(detection(20), detection(20), detection(0))))
    assert made.counts["aggregation refused duplicate"] == 1
    assert made.counts["aggregation refused late"] == 1


async def put_tick(made: Bench, tick: Ticked | bytes, appended_at: int = START) -> None:
    value = tick if isinstance(tick, bytes) else CODEC.encode(tick)
    await made.put([record(value, topic=topics.TICKS, partition=0, appended_at=appended_at)])


async def test_a_tick_tells_which_streams_are_heard_to_the_partition_it_is_about() -> None:
    log = Log()
    made = bench(log)
    await put(made, 0, log.add(detections_made(detection(0))))
    await put_tick(made, Ticked(0, START))
    (item,) = [it for it in made.publisher.kept if isinstance(it.event, StreamsHeard)]
    assert item.partition == 0
    (heard,) = made.publisher.events(StreamsHeard)
    assert [it.stream_id for it in heard.streams] == ["stream-1"]


async def test_a_worker_that_takes_over_counts_only_frames_that_it_judges_itself() -> None:
    """Those before were counted by the worker before; that they were heard is told all the same."""
    log = Log()
    before = (detection(0), detection(1), detection(2, stream_id="quiet"))
    first, second = bench(log), bench(log)
    await put(first, 0, *(log.add(detections_made(item)) for item in before))
    await put_tick(first, Ticked(0, START))
    await put(second, 3, log.add(detections_made(detection(3), detection(4))))
    await put_tick(second, Ticked(0, START + SECOND), START + SECOND)
    told = [made.publisher.events(StreamsHeard)[0].streams for made in (first, second)]
    assert [(it.stream_id, it.frames) for streams in told for it in streams] == [
        ("quiet", 1),
        ("stream-1", 2),
        ("quiet", 0),
        ("stream-1", 2),
    ]


async def test_time_passes_in_a_partition_in_which_nothing_else_happens() -> None:
    made = bench(Log())
    await put_tick(made, Ticked(0, START))
    (heard,) = made.publisher.events(StreamsHeard)
    assert (heard.heard_at, heard.streams) == (START, [])


async def test_time_is_the_brokers_and_not_that_of_a_worker_whose_clock_jumps() -> None:
    """An hour ahead, every stream would look abandoned."""
    made = bench(Log())
    await put_tick(made, Ticked(0, START + 3600 * SECOND))
    assert [it.heard_at for it in made.publisher.events(StreamsHeard)] == [START]


async def test_where_brokers_give_no_time_it_is_the_ticks() -> None:
    made = bench(Log())
    await put_tick(made, Ticked(0, START), appended_at=-1000)
    assert [it.heard_at for it in made.publisher.events(StreamsHeard)] == [START]


async def test_a_tick_that_can_not_be_read_is_dead_lettered() -> None:
    made = bench(Log())
    await put_tick(made, b"nonsense")
    assert made.publisher.events(EventDeadLettered)[0].topic == topics.TICKS


async def test_time_is_told_to_each_partition_that_a_worker_has() -> None:
    made = bench(Log())
    await publish_ticks(made.intake, [1, 4], START)
    assert [(it.partition, it.event) for it in made.publisher.kept] == [
        (1, Ticked(1, START)),
        (4, Ticked(4, START)),
    ]


async def test_a_second_in_which_the_brokers_are_away_is_passed_over() -> None:
    made = bench(Log())
    made.publisher.broken = True
    await publish_ticks(made.intake, [0], START)
    made.publisher.broken = False
    await publish_ticks(made.intake, [0], START + SECOND)
    assert [it.ticked_at for it in made.publisher.events(Ticked)] == [START + SECOND]
