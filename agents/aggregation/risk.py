"""From windows to risk, session by session, for one partition of detections. Pure."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import exp

from schemas import (
    MICROSECONDS,
    Detection,
    DetectionsMade,
    FrameRef,
    RiskAssessed,
    SignalEvidence,
    StreamsHeard,
    derive_id,
)

from .evidence import log_odds_of, signal_evidence
from .hearing import Hearing, Session
from .summary import best_frames, summaries
from .windows import KNOWN_SIGNALS, SLOT, FrameRefused, SessionWindows, WindowSpec

REPEAT = MICROSECONDS
"""While a stream is not clear its risk is told at least this often, in event time."""
_PRIOR = 6.0
"""How much evidence, in log-odds, makes an attack as likely as none."""
_KNOWN_WEIGHT = 5.0
"""A match with known content is near certain: one slot of it is as good as five."""


def risk_of(evidence: list[SignalEvidence]) -> float:
    """How likely an attack is, 0 to 1: the evidence against the odds of there being one."""
    firearm = log_odds_of(evidence, "firearm")
    known = _KNOWN_WEIGHT * log_odds_of(evidence, "known_content")
    return round(1 / (1 + exp(_PRIOR - max(firearm, known))), 6)


class PartitionWindows:
    """The windows of all sessions in one partition.

    ``next_offset`` is the detections offset that continues this state: anything else means that
    records were read elsewhere meanwhile, and the state has to be rebuilt.
    """

    def __init__(self, spec: WindowSpec) -> None:
        self.spec = spec
        self.next_offset = 0
        self.refused: Counter[FrameRefused] = Counter()
        self._hearing = Hearing()
        self.sessions = self._hearing.sessions
        self.hear = self._hearing.hear
        self.forget_counts = self._hearing.forget_counts

    def observe(self, batch: DetectionsMade, offset: int) -> list[RiskAssessed]:
        """Take in the batch at ``offset`` of the partition; the risks it moved, in order."""
        self.next_offset = offset + 1
        signals, columns = _kept(tuple(batch.signals))
        if signals[:1] != KNOWN_SIGNALS[:1]:
            self.refused[FrameRefused.MALFORMED] += len(batch.detections)
            return []
        risks = []
        sessions, hear = self.sessions, self.hear
        longest = self.spec.lengths[-1]
        slots = longest // SLOT
        for detection in batch.detections:
            # Sessions of a stream are apart, whatever their event times: a restart on a shard whose
            # clock is behind, or a handover during which two shards send, leaves none unwatched.
            key = (detection.stream_id, detection.session_id)
            session = sessions.get(key)
            if session is None:
                # Not among those that are known until a frame of it counts.
                session = Session(SessionWindows(self.spec, signals))
            windows = session.windows
            if windows.signals != signals:
                windows.keep_signals(signals)
            scores = detection.scores if columns is None else _pick(detection.scores, columns)
            captured_at, before = detection.captured_at, windows.watermark
            was_clear = windows.newest - windows.last_hit >= slots
            refused = windows.observe(
                captured_at, detection.offset, detection.sequence, scores, detection.drill
            )
            if refused is not None:
                self.refused[refused] += 1
                continue
            hear(key, session, detection.appended_at)
            clear = windows.newest - windows.last_hit >= slots
            # The first frame is told whatever it shows, and so is one after a silence of the
            # longest window: what was told before that must not matter, or windows could not be
            # rebuilt from the recent log alone.
            if clear and was_clear and captured_at - before <= longest:
                continue
            moved = clear or was_clear or windows.is_hit(scores)
            if moved or windows.watermark // REPEAT > before // REPEAT:
                risks.append(_assess(batch, detection, windows, scores[0]))
        return risks

    def tick(self, now: int, partition: int) -> StreamsHeard:
        """It is ``now``: which sessions were heard of late. Idle ones are forgotten."""
        return StreamsHeard(partition, now, self._hearing.tell(now))

    def take_refused(self) -> Counter[FrameRefused]:
        """How many frames were refused since this was last asked, by reason."""
        refused, self.refused = self.refused, Counter()
        return refused


@lru_cache(16)
def _kept(named: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...] | None]:
    """Which of a batch's signals windows are kept of, and where they are; ``None``: as they are."""
    signals = tuple(name for name in KNOWN_SIGNALS if name in named)
    return signals, None if signals == named else tuple(named.index(name) for name in signals)


def _pick(scores: list[float], columns: tuple[int, ...]) -> list[float]:
    """The scores of ``columns``; none where there are too few."""
    return [scores[column] for column in columns] if max(columns) < len(scores) else []


def _assess(
    batch: DetectionsMade, detection: Detection, windows: SessionWindows, score: float
) -> RiskAssessed:
    topic, partition = batch.frame_topic, batch.frame_partition
    signals = signal_evidence(windows)
    return RiskAssessed(
        # Named after the frame and not the batch, which a restart may cut differently.
        risk_id=derive_id("risk", topic, partition, detection.offset, batch.bundle_digest),
        stream_id=detection.stream_id,
        session_id=detection.session_id,
        assessed_at=windows.watermark,
        risk=risk_of(signals),
        windows=summaries(windows),
        evidence=best_frames(windows, topic, partition),
        cause=FrameRef(topic, partition, detection.offset, detection.captured_at, score),
        bundle=batch.bundle,
        bundle_digest=batch.bundle_digest,
        drill=windows.drill,
        signals=signals,
    )
