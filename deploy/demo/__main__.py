"""``make demo``: the whole topology on real footage, from a broker to the decisions.

    python -m deploy.demo [--streams FILE] [--fast]

Four streams go in live, at two frames a second and more where that is asked for; a takedown service
stops what is to be taken down, and then it is no longer sampled. A live table shows where each
stands; the summary says what was decided and how fast. With ``DEMO_JSON=path`` the summary is
written as JSON too. With ``--fast`` the streams are recordings that go in as fast as they can: they
show how many frames a second are judged, and are over before they could be stopped.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import click
from rich.console import Console
from rich.live import Live

from agents.oncall.access.roles import Person
from agents.oncall.access.roles import Role as WebRole
from deploy.demo.game import GameUnavailable, render_game
from deploy.demo.observer import Observer
from deploy.demo.report import Shown, closing_line, live_table, summary_json, summary_table
from deploy.demo.streams import (
    DEFAULT_STREAMS,
    DemoStream,
    DemoUnready,
    find_clip,
    labelled_onset,
    load_streams,
)
from deploy.demo.takedowns import TakedownService
from schemas import MICROSECONDS
from topology.app import Role
from topology.errors import OperatorError
from topology.kafka_config import librdkafka_config
from topology.sampler import (
    BoostFeed,
    Boosts,
    FrameProducer,
    Pace,
    RunReport,
    SampleOptions,
    SourceProgress,
    SourceSpec,
    Stops,
    run,
)
from topology.settings import Settings, load_settings
from topology.stack import Stack, run_stack
from topology.wire import build_codec, build_verifier

_READY_SECONDS = 120.0
_DECIDED_SECONDS = 300.0
_LOOK_SECONDS = 0.25
_BUILD = Path("build/demo")
_VISITOR = Person("demo", WebRole.ADMIN)


@click.command()
@click.option(
    "--streams",
    "listing",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=DEFAULT_STREAMS,
    help="Which clips go in under which names.",
)
@click.option("--fast", is_flag=True, help="As recordings, as fast as they go.")
def demo(listing: Path, fast: bool) -> None:
    """Run the whole topology on real footage and show what it decides."""
    try:
        _demo(_settings(), listing, Pace.FAST if fast else Pace.REALTIME)
    except OperatorError as error:
        raise click.ClickException(str(error)) from error


def _settings() -> Settings:
    """The operator's settings, with a broker of the demo's own beside one that may be running."""
    if "FIREBREAK_RUNTIME_DIR" in os.environ:
        return load_settings()
    return load_settings(runtime_dir=_BUILD.absolute() / "runtime")


def _demo(settings: Settings, listing: Path, pace: Pace) -> None:
    console = Console()
    sources, shown = _prepare(load_streams(listing), listing, console)
    with run_stack(settings) as stack:
        keys = settings.model_copy(update={"decision_keys": stack.decision_keys})
        page = stack.fleet.web_urls[Role.JUDGEMENT]
        console.print(f"brokers {stack.bootstrap}   on-call page {page}/")
        # In one piece, however narrow the terminal: broken in two, it is no link.
        link = stack.one_time_link(_VISITOR)
        console.print(f"sign in, once, within ten minutes: {link}", soft_wrap=True)
        config, codec = librdkafka_config(settings, stack.bootstrap), build_codec(settings)
        stops, boosts = Stops(), Boosts(source.stream_id for source in sources)
        with (
            # Joins its group while the workers join theirs.
            TakedownService(config, codec, stops, verifier=build_verifier(keys)),
            BoostFeed(config, boosts, codec=codec),
            FrameProducer(
                config, codec=codec, max_payload_bytes=settings.max_payload_bytes
            ) as producer,
            Observer(config, codec, f"firebreak-{Role.JUDGEMENT}") as observer,
        ):
            _wait(stack, _READY_SECONDS, "the workers to be ready", lambda: _ready(stack))
            feed = _Feed(sources, producer, pace, stops, boosts)
            feed.start()
            with Live(console=console, refresh_per_second=4) as live:

                def done() -> bool:
                    with observer.lock:
                        live.update(live_table(observer.tally, feed.sent, shown))
                    return not feed.is_alive() and observer.all_decided(feed.report.frames)

                what = "all frames to be judged and all takedowns answered"
                _wait(stack, _DECIDED_SECONDS, what, done)
    tally, report = observer.tally, feed.report
    rate = report.frames / (tally.last_settled_at - feed.began_at) * MICROSECONDS
    console.print()
    console.print(summary_table(tally, shown))
    console.print(closing_line(tally, report, rate))
    if path := os.environ.get("DEMO_JSON"):
        Path(path).write_text(json.dumps(summary_json(tally, shown, rate), indent=2) + "\n")
    for failed in report.failed:
        raise DemoUnready(f"{failed.stream_id}: {failed.failure}")


def _prepare(
    streams: list[DemoStream], listing: Path, console: Console
) -> tuple[list[SourceSpec], dict[str, Shown]]:
    """The sources to sample, and what is known of each besides."""
    game = _BUILD / "game.mp4"
    if any(stream.clip == "game" for stream in streams) and not game.exists():
        console.print("rendering the game clip")
        game.parent.mkdir(parents=True, exist_ok=True)
        unfinished = game.with_suffix(".part")
        try:
            render_game(unfinished)
        except GameUnavailable as error:
            raise DemoUnready(str(error)) from error
        unfinished.rename(game)
    sources, shown = [], {}
    for stream in streams:
        clip = find_clip(stream, listing, game)
        sources.append(SourceSpec(str(clip), stream.id, stream.drill))
        shown[stream.id] = Shown(stream.kind, labelled_onset(clip))
    return sources, shown


class _Feed(threading.Thread):
    """Samples the sources into the producer; ``report`` is there when the thread has ended."""

    def __init__(
        self,
        sources: list[SourceSpec],
        producer: FrameProducer,
        pace: Pace,
        stops: Stops,
        boosts: Boosts,
    ) -> None:
        super().__init__(name="feed", daemon=True)
        self._sources = sources
        self._producer = producer
        self._options = SampleOptions(fps=2, pace=pace, shard_id="demo")
        self._stops = stops
        self._boosts = boosts
        self.sent: dict[str, int] = {}
        self.began_at = 0
        self.report = RunReport(())

    def run(self) -> None:
        self.began_at = time.time_ns() // 1000
        self.report = run(
            self._sources,
            self._options,
            self._producer,
            self._note,
            stops=self._stops,
            boosts=self._boosts,
        )

    def _note(self, progress: SourceProgress) -> None:
        self.sent[progress.stream_id] = progress.frames


def _wait(stack: Stack, seconds: float, what: str, met: Callable[[], bool]) -> None:
    """Mind the stack until ``met``. Raises ``DemoUnready`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not met():
        for line in stack.check():
            click.echo(line, err=True)
        if time.monotonic() > deadline:
            raise DemoUnready(f"waited {seconds:g} s for {what}")
        time.sleep(_LOOK_SECONDS)


def _ready(stack: Stack) -> bool:
    for url in stack.fleet.web_urls.values():
        try:
            with urlopen(f"{url}/ready", timeout=1) as answer:  # noqa: S310  # our own, http
                if answer.status != HTTPStatus.OK:
                    return False
        except (URLError, OSError):
            return False
    return True


if __name__ == "__main__":
    demo()
