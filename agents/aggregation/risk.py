"""From windows to risk, session by session, for one partition of detections. Pure."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from schemas import MICROSECONDS, Detection, DetectionsMade, RiskAssessed, WindowSummary, derive_id

from .windows import FrameRefused, Sample, SessionWindows, WindowSpec, frame_ref

IDLE = 10 * 60 * MICROSECONDS
"""A session without frames for this long, in time of appending, is forgotten."""
REPEAT = MICROSECONDS
"""While a stream is not clear its risk is told at least this often, in event time."""


def risk_of(window: WindowSummary) -> float:
    """Risk, 0 to 1: the window's mean firearm signal, as far as the window was watched at all."""
    return window.mean * window.coverage


@dataclass(slots=True)
class _Session:
    windows: SessionWindows
    appended_at: int
    told_at: int = 0
    clear: bool = True


@dataclass(slots=True)
class PartitionWindows:
    """The windows of all sessions in one partition.

    ``next_offset`` is the detections offset that continues this state: anything else means that
    records were read elsewhere meanwhile, and the state has to be rebuilt.
    """

    spec: WindowSpec
    next_offset: int = 0
    sessions: OrderedDict[tuple[str, str], _Session] = field(default_factory=OrderedDict)
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
        session = self._session(detection)
        sample = Sample(
            captured_at=detection.captured_at,
            offset=detection.offset,
            sequence=detection.sequence,
            score=detection.scores[batch.signals.index("firearm")],
            fictional=_score_if_any(batch, detection, "fictional"),
            drill=detection.drill,
        )
        # Told whatever it shows, the first frame too: what was told before a silence of the longest
        # window must not matter, or windows could not be rebuilt from the recent log alone.
        anew = sample.captured_at - session.windows.watermark > self.spec.lengths[-1]
        if refused := session.windows.observe(sample):
            self.refused[refused] += 1
            return None
        summaries = session.windows.summaries()
        clear = summaries[-1].hits == 0
        moved = anew or clear != session.clear or session.windows.is_hit(sample)
        due = not clear and session.windows.watermark - session.told_at >= REPEAT
        session.clear = clear
        if not (moved or due):
            return None
        session.told_at = session.windows.watermark
        return _assess(batch, detection, session.windows, sample, summaries)

    def _session(self, detection: Detection) -> _Session:
        """The session's state, fresh for a new one.

        Sessions of a stream are apart, whatever their event times: a restart on a shard whose
        clock is behind, or a handover during which two shards send, leaves none unwatched.
        """
        key = (detection.stream_id, detection.session_id)
        session = self.sessions.get(key)
        if session is None:
            windows = SessionWindows(self.spec)
            session = self.sessions[key] = _Session(windows, detection.appended_at)
        session.appended_at = max(session.appended_at, detection.appended_at)
        self.sessions.move_to_end(key)
        return session

    def _forget(self, before: int) -> None:
        while self.sessions:
            key, session = next(iter(self.sessions.items()))
            if session.appended_at >= before:
                return
            del self.sessions[key]


def _score_if_any(batch: DetectionsMade, detection: Detection, signal: str) -> float:
    return detection.scores[batch.signals.index(signal)] if signal in batch.signals else 0.0


def _assess(
    batch: DetectionsMade,
    detection: Detection,
    windows: SessionWindows,
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
