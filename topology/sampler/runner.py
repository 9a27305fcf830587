"""Sampling many sources at once, a thread each, into one producer."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from functools import partial
from uuid import uuid4

from schemas import MICROSECONDS, FrameSampled, StreamUpdated

from ..errors import OperatorError
from .boosts import Boosts
from .naming import is_url
from .options import NOTHING_KNOWN, Clock, Pace, SampleOptions, SourceFailed, SourceSpec, WallClock
from .producer import DeliveryFailed, FrameProducer, FrameTooLarge
from .reports import OnProgress, RunReport, SourceProgress, SourceReport
from .sampling import pace_of, sample_opened
from .sources import open_source
from .stops import Stops

logger = logging.getLogger(__name__)

MAX_THREADS = 256
_FLUSH_SECONDS = 30.0


class TooManySources(OperatorError):
    """More live sources than threads: some would wait for others to end, unwatched."""


def run(
    sources: Sequence[SourceSpec],
    options: SampleOptions,
    producer: FrameProducer,
    on_progress: OnProgress | None = None,
    *,
    stop: threading.Event | None = None,
    stops: Stops | None = None,
    boosts: Boosts | None = None,
    clock: Clock | None = None,
    max_threads: int = MAX_THREADS,
) -> RunReport:
    """Sample all ``sources`` into ``producer`` until each has ended, failed or ``stop`` is set.

    A source that fails leaves the others running, and so does one that ``stops`` end. What is to
    end does so with its next sample, or once its read times out. ``boosts`` say which streams are
    sampled faster for a while. ``on_progress`` is called on the sources' threads. Raises
    ``TooManySources`` if sources in real time would have to wait for a thread.
    """
    stop = stop or threading.Event()
    clock = clock or WallClock(stop)
    if len(sources) > max_threads and any_in_real_time(sources, options):
        raise TooManySources(f"{len(sources)} sources in real time, and {max_threads} threads")
    tasks = [
        _SourceRun(
            source=source,
            options=options,
            producer=producer,
            clock=clock,
            stop=stop,
            stops=stops or Stops(),
            boosts=boosts,
            on_progress=on_progress,
        )
        for source in sources
    ]
    if tasks:
        with ThreadPoolExecutor(min(len(tasks), max_threads), "sample") as pool:
            running = {pool.submit(task.run): task for task in tasks}
            for ended in as_completed(running):
                if (error := ended.exception()) is not None:
                    running[ended].surprised(error)
    producer.flush(_FLUSH_SECONDS)
    return RunReport(tuple(task.report() for task in tasks))


def any_in_real_time(sources: Iterable[SourceSpec], options: SampleOptions) -> bool:
    """Whether any of ``sources`` is sampled as it is, live, and not as a recording."""
    paces = (pace_of(options, live=is_url(source.location)) for source in sources)
    return Pace.REALTIME in paces


class _SourceRun:
    """One source from opening to its end, and its counts.

    The source's thread writes what is sent, the producer's reports what is delivered.
    """

    def __init__(
        self,
        *,
        source: SourceSpec,
        options: SampleOptions,
        producer: FrameProducer,
        clock: Clock,
        stop: threading.Event,
        stops: Stops,
        boosts: Boosts | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._source = source
        self._options = options
        self._producer = producer
        self._clock = clock
        self._stop = stop
        self._boosts = boosts
        self._on_progress = on_progress
        self._session_id = str(uuid4())
        self._carried = stops.carry(source.stream_id, self._session_id)
        self._sent = self._frames_sent = self._refused = self._damaged = 0
        self._acknowledged = self._frames = self._bytes = 0
        self._failure: str | None = None
        self._delivery_failure: str | None = None
        self._position = 0.0
        self._duration: float | None = None

    def run(self) -> None:
        """Sample to the end, noting why where that fails."""
        try:
            if not self._is_to_end():
                self._sample()
        except SourceFailed as error:
            self._failure = str(error)
        except DeliveryFailed as error:
            self._failure = f"not delivered: {error}"
        finally:
            self._carried.ended.set()
        self._tell(done=True)

    def surprised(self, error: BaseException) -> None:
        """Note an error nobody foresaw: this source ends with it, and the others go on."""
        self._failure = f"unexpected {type(error).__name__}"
        # Not the error's own text, which may hold a location.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("source %s: %s\n%s", self._source.stream_id, self._failure, where)
        self._tell(done=True)

    def report(self) -> SourceReport:
        """The counts so far; final once the producer is flushed."""
        failure = self._failure or self._delivery_failure
        undelivered = self._sent - self._acknowledged
        if failure is None and undelivered:
            failure = f"{undelivered} events not acknowledged in time"
        return SourceReport(
            stream_id=self._source.stream_id,
            frames=self._frames,
            bytes=self._bytes,
            refused=self._refused,
            undelivered=undelivered,
            damaged=self._damaged,
            failure=failure,
        )

    def _is_to_end(self) -> bool:
        return self._stop.is_set() or self._carried.asked_to_end.is_set()

    def _sample(self) -> None:
        with open_source(self._source.location, self._options) as opened:
            self._duration = None if opened.duration is None else float(opened.duration)
            frames = sample_opened(
                opened,
                self._source,
                self._options,
                self._clock,
                self._session_id,
                boosts=self._boosts,
            )
            first: int | None = None
            last = 0
            try:
                with closing(frames):
                    for frame in frames:
                        if self._is_to_end():
                            break
                        if first is None:
                            first = frame.captured_at
                            self._send_update("started", first)
                        self._send_frame(frame)
                        last = frame.captured_at
                        self._position = (last - first) / MICROSECONDS
                        self._tell()
            finally:
                self._damaged = opened.damaged
            # A live stream that is only no longer sampled has not ended: it is unwatched.
            left = opened.live and self._stop.is_set() and not self._carried.asked_to_end.is_set()
            if first is not None and not left:
                self._send_update("ended", last)

    def _send_frame(self, frame: FrameSampled) -> None:
        try:
            self._producer.send(frame, partial(self._delivered, len(frame.payload)))
        except FrameTooLarge as error:
            self._refused += 1
            self._failure = self._failure or str(error)
            return
        self._sent += 1
        self._frames_sent += 1

    def _send_update(self, change: str, at: int) -> None:
        # What is known is of the start: at the end it may no longer hold.
        facts = self._source.facts if change == "started" else NOTHING_KNOWN
        update = StreamUpdated(
            stream_id=self._source.stream_id,
            session_id=self._session_id,
            shard_id=self._options.shard_id,
            change=change,
            updated_at=at,
            drill=self._source.drill,
            account_id=facts.account_id,
            category=facts.category,
            region=facts.region,
            viewers=facts.viewers,
        )
        self._producer.send(update, partial(self._delivered, None))
        self._sent += 1

    def _delivered(self, payload_bytes: int | None, error: str | None) -> None:
        if error is not None:
            self._delivery_failure = self._delivery_failure or f"not delivered: {error}"
            return
        self._acknowledged += 1
        if payload_bytes is not None:
            self._frames += 1
            self._bytes += payload_bytes

    def _tell(self, *, done: bool = False) -> None:
        if self._on_progress is None:
            return
        progress = SourceProgress(
            stream_id=self._source.stream_id,
            frames=self._frames_sent,
            position=self._position,
            duration=self._duration,
            failure=self._failure,
            done=done,
        )
        self._on_progress(progress)
