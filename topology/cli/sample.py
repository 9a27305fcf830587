"""``firebreak sample``: sample files, directories of images and live URLs into Kafka."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from topology.broker import resolve_bootstrap
from topology.kafka_config import librdkafka_config
from topology.sampler import (
    FrameProducer,
    Mode,
    Pace,
    RunReport,
    SampleOptions,
    SourceProgress,
    SourceSpec,
    name_sources,
    redact,
    run,
)
from topology.settings import load_settings
from topology.topic_admin import open_admin
from topology.wire import build_codec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _RecordingTime(click.ParamType):
    """An ISO 8601 time with its offset, in the past; as microseconds since the epoch."""

    name = "ISO8601"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        try:
            when = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not an ISO 8601 time", param, ctx)
        if when.tzinfo is None:
            self.fail("say the offset too, such as Z or +13:00", param, ctx)
        if when > datetime.now(UTC):
            self.fail("nothing can have been recorded in the future", param, ctx)
        return (when - _EPOCH) // timedelta(microseconds=1)


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--fps",
    type=click.FloatRange(0.001, 1000),
    default=2.0,
    show_default=True,
    help="Samples a second of each source, at most.",
)
@click.option(
    "--stream-id",
    metavar="ID",
    help="Name of the stream, with one source only.  [default: the file's name]",
)
@click.option(
    "--shard", default="local", show_default=True, metavar="NAME", help="Name of this ingest node."
)
@click.option(
    "--realtime",
    "pace",
    flag_value=Pace.REALTIME.value,
    help="Pace by presentation time, from now on.  [default for URLs]",
)
@click.option(
    "--fast",
    "pace",
    flag_value=Pace.FAST.value,
    help="As fast as possible, as a recording.  [default for files]",
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    show_default=True,
    default=Mode.JPEG.value,
    help="Encode anew, or pass on the stream's key frames.",
)
@click.option("--drill", is_flag=True, help="Mark as a drill: judged, but nothing acts on it.")
@click.option(
    "--width",
    type=click.IntRange(min=16),
    default=640,
    show_default=True,
    help="Widest JPEG, in pixels.",
)
@click.option(
    "--quality",
    type=click.IntRange(2, 31),
    default=4,
    show_default=True,
    help="JPEG quantiser: 2 is best and largest.",
)
@click.option(
    "--recorded-at",
    type=_RecordingTime(),
    help="When the recording began.  [default: so that it ends now]",
)
def sample(
    *,
    sources: tuple[str, ...],
    fps: float,
    stream_id: str | None,
    shard: str,
    pace: str | None,
    mode: str,
    drill: bool,
    width: int,
    quality: int,
    recorded_at: int | None,
) -> None:
    """Sample frames of each SOURCE into Kafka.

    A SOURCE is a file, a directory of images, or a URL (RTMP, RTSP, HLS, …). Exits with 1 if any
    source failed; the others go on.
    """
    try:
        options = SampleOptions(
            fps=fps,
            mode=Mode(mode),
            pace=None if pace is None else Pace(pace),
            width=width,
            quality=quality,
            shard_id=shard,
            recorded_at=recorded_at,
        )
        specs = name_sources(sources, stream_id=stream_id, drill=drill)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    settings = load_settings()
    bootstrap = resolve_bootstrap(settings)
    open_admin(settings, bootstrap)  # brokers that are away are told now and not when frames wait
    config = librdkafka_config(settings, bootstrap)
    limit = settings.max_payload_bytes
    started = monotonic()
    with (
        FrameProducer(config, codec=build_codec(settings), max_payload_bytes=limit) as producer,
        stopped_by_signals() as stop,
        _Display(specs) as display,
    ):
        report = run(specs, options, producer, display.show, stop=stop)
        display.tell_failures(report)
    _conclude(report, monotonic() - started)


class _Display:
    """A bar for each source on a terminal, and failures as they come, on stderr."""

    def __init__(self, specs: tuple[SourceSpec, ...]) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[frames]} frames"),
            TextColumn("{task.fields[rate]:.1f}/s"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._started = monotonic()
        self._names = {s.stream_id: f"{s.stream_id} ({redact(s.location)})" for s in specs}
        self._told: set[str] = set()
        self._tasks: dict[str, TaskID] = {
            spec.stream_id: self._progress.add_task(
                escape(spec.stream_id), total=None, frames=0, rate=0.0
            )
            for spec in specs
        }

    def __enter__(self) -> _Display:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, progress: SourceProgress) -> None:
        """Called on the sources' threads."""
        if progress.done and progress.failure is not None:
            self._tell(progress.stream_id, progress.failure)
        total = progress.position if progress.done else progress.duration
        elapsed = monotonic() - self._started
        self._progress.update(
            self._tasks[progress.stream_id],
            total=total,
            completed=progress.position,
            frames=progress.frames,
            rate=progress.frames / elapsed if elapsed > 0 else 0.0,
        )

    def tell_failures(self, report: RunReport) -> None:
        """Those that were not told when they happened, and what was lost of each source."""
        for source in report.sources:
            if source.failure is not None and source.stream_id not in self._told:
                self._tell(source.stream_id, source.failure)
            if source.refused:
                self._tell(source.stream_id, f"{source.refused} frames were too large to send")
            if source.damaged:
                self._tell(source.stream_id, f"{source.damaged} damaged packets skipped")

    def _tell(self, stream_id: str, what: str) -> None:
        self._told.add(stream_id)
        line = Text(f"{self._names[stream_id]}: {what}")
        self._progress.console.print(line, soft_wrap=True)


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second does what it always does."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()
        restore()

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        restore()


def _conclude(report: RunReport, seconds: float) -> None:
    click.echo(
        f"{report.frames} frames, {report.bytes} bytes of {len(report.sources)} sources "
        f"in {seconds:.1f} s; {len(report.failed)} failed"
    )
    if report.failed:
        sys.exit(1)
