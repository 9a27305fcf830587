"""``firebreak sample``: sample files, directories of images and live URLs into Kafka."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from time import monotonic

import click

from topology.broker import resolve_bootstrap
from topology.cli.sample_display import Display
from topology.kafka_config import librdkafka_config
from topology.sampler import (
    FASTEST,
    BoostFeed,
    Boosts,
    FrameProducer,
    Mode,
    Pace,
    RunReport,
    SampleOptions,
    StreamFacts,
    any_in_real_time,
    name_sources,
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
    type=click.FloatRange(0.001, FASTEST),
    default=2.0,
    show_default=True,
    help="Samples a second of each source, at most, unless more are asked for.",
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
    "--no-boost",
    is_flag=True,
    help="Keep to --fps.  [default: sample live sources faster while that is asked for]",
)
@click.option("--account", default="", metavar="ID", help="Pseudonym of whose stream it is.")
@click.option("--category", default="", metavar="NAME", help="The platform's category of it.")
@click.option("--region", default="", metavar="XX", help="Its country, ISO 3166-1 alpha-2.")
@click.option("--viewers", type=click.IntRange(min=0), help="How many watch as it starts.")
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
    no_boost: bool,
    account: str,
    category: str,
    region: str,
    viewers: int | None,
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
        facts = StreamFacts(
            account_id=account,
            category=category,
            region=region,
            viewers=-1 if viewers is None else viewers,
        )
        specs = name_sources(sources, stream_id=stream_id, drill=drill, facts=facts)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    settings = load_settings()
    bootstrap = resolve_bootstrap(settings)
    open_admin(settings, bootstrap)  # brokers that are away are told now and not when frames wait
    config = librdkafka_config(settings, bootstrap)
    codec = build_codec(settings)
    boosted = any_in_real_time(specs, options) and not no_boost
    boosts = Boosts(spec.stream_id for spec in specs)
    started = monotonic()
    with (
        BoostFeed(config, boosts, codec=codec) if boosted else nullcontext(),
        FrameProducer(
            config, codec=codec, max_payload_bytes=settings.max_payload_bytes
        ) as producer,
        stopped_by_signals() as stop,
        Display(specs) as display,
    ):
        report = run(specs, options, producer, display.show, stop=stop, boosts=boosts)
        display.tell_failures(report)
    _conclude(report, monotonic() - started)


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
