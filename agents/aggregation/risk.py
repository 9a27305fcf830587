"""From windows to risk, stream by stream, for one partition of detections. Pure."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from schemas import Detection, DetectionsMade, RiskAssessed, WindowSummary, derive_id

from .windows import MICROSECONDS, FrameRefused, Sample, StreamWindows, WindowSpec, frame_ref

IDLE = 10 * 60 * MICROSECONDS
"""A stream without frames for this long, in time of appending, is forgotten."""
REPEAT = MICROSECONDS
"""While a stream is not clear its risk is told at least this often, in event time."""


def risk_of(window: WindowSummary) -> float:
    """Risk, 0 to 1: the window's mean firearm signal, as far as the window was watched at all."""
    return window.mean * window.coverage


@dataclass(slots=True)
class _Stream:
    windows: StreamWindows
    appended_at: int
    told_at: int = 0
    clear: bool = True


@dataclass(slots=True)
class PartitionWindows:
    """The windows of all streams in one partition.

    ``next_offset`` is the detections offset that continues this state: anything else means that
    records were read elsewhere meanwhile, and the state has to be rebuilt.
    """

    spec: WindowSpec
    next_offset: int = 0
    streams: OrderedDict[str, _Stream] = field(default_factory=OrderedDict)
    refused: Counter[FrameRefused] = field(default_factory=Counter)

    def observe(self, batch: DetectionsMade, offset: int) -> list[RiskAssessed]:
        """Take in the batch at ``offset`` of the partition; the risks it moved, in order."""
        self.next_offset = offset + 1
        risks = [
            risk
            for detection in batch.detections
            if (risk := self._observe(batch, detection)) is not None
        ]
        if batch.detections:
            self._forget(before=batch.detections[-1].appended_at - IDLE)
        return risks

    def take_refused(self) -> Counter[FrameRefused]:
        """How many frames were refused since this was last asked, by reason."""
        refused, self.refused = self.refused, Counter()
        return refused

    def _observe(self, batch: DetectionsMade, detection: Detection) -> RiskAssessed | None:
        stream = self._stream(detection)
        if isinstance(stream, FrameRefused):
            self.refused[stream] += 1
            return None
        sample = Sample(
            captured_at=detection.captured_at,
            offset=detection.offset,
            sequence=detection.sequence,
            score=detection.scores[batch.signals.index("firearm")],
            drill=detection.drill,
        )
        # Told whatever it shows, the first frame too: what was told before a silence of the longest
        # window must not matter, or windows could not be rebuilt from the recent log alone.
        anew = sample.captured_at - stream.windows.watermark > self.spec.lengths[-1]
        if refused := stream.windows.observe(sample):
            self.refused[refused] += 1
            return None
        summaries = stream.windows.summaries()
        clear = summaries[-1].hits == 0
        moved = anew or clear != stream.clear or stream.windows.is_hit(sample)
        due = not clear and stream.windows.watermark - stream.told_at >= REPEAT
        stream.clear = clear
        if not (moved or due):
            return None
        stream.told_at = stream.windows.watermark
        return _assess(batch, detection, stream.windows, sample, summaries)

    def _stream(self, detection: Detection) -> _Stream | FrameRefused:
        """The stream's state; a new session starts afresh, a frame of an earlier one is refused."""
        stream = self.streams.get(detection.stream_id)
        if stream is not None and stream.windows.session_id != detection.session_id:
            if detection.captured_at <= stream.windows.watermark:
                return FrameRefused.EARLIER_SESSION
            stream = None
        if stream is None:
            windows = StreamWindows(self.spec, detection.session_id)
            stream = self.streams[detection.stream_id] = _Stream(windows, detection.appended_at)
        stream.appended_at = max(stream.appended_at, detection.appended_at)
        self.streams.move_to_end(detection.stream_id)
        return stream

    def _forget(self, before: int) -> None:
        while self.streams:
            stream_id, stream = next(iter(self.streams.items()))
            if stream.appended_at >= before:
                return
            del self.streams[stream_id]


def _assess(
    batch: DetectionsMade,
    detection: Detection,
    windows: StreamWindows,
    sample: Sample,
    summaries: list[WindowSummary],
) -> RiskAssessed:
    topic, partition = batch.frame_topic, batch.frame_partition
    return RiskAssessed(
        # Named after the frame and not the batch, which a restart may cut differently.
        risk_id=derive_id("risk", topic, partition, detection.offset, batch.bundle_digest),
        stream_id=detection.stream_id,
        session_id=detection.session_id,
        assessed_at=windows.watermark,
        risk=risk_of(summaries[0]),
        windows=summaries,
        evidence=windows.evidence(topic, partition),
        cause=frame_ref(topic, partition, sample),
        bundle=batch.bundle,
        bundle_digest=batch.bundle_digest,
        drill=windows.drill,
    )
