"""From windows to risk, session by session, for one partition of detections. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
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
from .hearing import Hearing, Key, Session
from .summary import best_frames, summaries
from .windows import KNOWN_SIGNALS, FrameRefused, SessionWindows, WindowSpec

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


@dataclass(slots=True)
class PartitionWindows:
    """The windows of all sessions in one partition.

    ``next_offset`` is the detections offset that continues this state: anything else means that
    records were read elsewhere meanwhile, and the state has to be rebuilt.
    """

    spec: WindowSpec
    next_offset: int = 0
    sessions: dict[Key, Session] = field(default_factory=dict)
    refused: Counter[FrameRefused] = field(default_factory=Counter)
    _hearing: Hearing = field(init=False)

    def __post_init__(self) -> None:
        self._hearing = Hearing(self.sessions)

    def observe(self, batch: DetectionsMade, offset: int) -> list[RiskAssessed]:
        """Take in the batch at ``offset`` of the partition; the risks it moved, in order."""
        self.next_offset = offset + 1
        signals = tuple(name for name in KNOWN_SIGNALS if name in batch.signals)
        columns = [batch.signals.index(name) for name in signals]
        # The usual bundle says just what is kept, in this order.
        as_they_are = columns == list(range(len(batch.signals)))
        risks = []
        for detection in batch.detections:
            scores = detection.scores
            if not as_they_are:
                scores = [scores[column] for column in columns]
            risk = self._observe(batch, detection, signals, scores)
            if risk is not None:
                risks.append(risk)
        return risks

    def tick(self, now: int, partition: int) -> StreamsHeard:
        """It is ``now``: which sessions were heard of late. Idle ones are forgotten."""
        return StreamsHeard(partition, now, self._hearing.tell(now))

    def hear(self, key: Key, session: Session, appended_at: int) -> None:
        """A frame of the session that was appended at ``appended_at`` has been judged."""
        session.appended_at = max(session.appended_at, appended_at)
        if not session.in_turn:
            self._hearing.hear(key, session)

    def take_refused(self) -> Counter[FrameRefused]:
        """How many frames were refused since this was last asked, by reason."""
        refused, self.refused = self.refused, Counter()
        return refused

    def _observe(
        self,
        batch: DetectionsMade,
        detection: Detection,
        signals: tuple[str, ...],
        scores: list[float],
    ) -> RiskAssessed | None:
        # Sessions of a stream are apart, whatever their event times: a restart on a shard whose
        # clock is behind, or a handover during which two shards send, leaves none unwatched.
        key = (detection.stream_id, detection.session_id)
        session = self.sessions.get(key)
        if session is None:
            session = self.sessions[key] = Session(SessionWindows(self.spec, signals))
        windows = session.windows
        if windows.signals != signals:
            windows.keep_signals(signals)
        before, was_clear = windows.watermark, windows.clear
        captured_at = detection.captured_at
        refused = windows.observe(
            captured_at, detection.offset, detection.sequence, scores, detection.drill
        )
        if refused is not None:
            self.refused[refused] += 1
            return None
        self.hear(key, session, detection.appended_at)
        clear = windows.clear
        # The first frame is told whatever it shows, and so is one after a silence of the longest
        # window: what was told before that must not matter, or windows could not be rebuilt from
        # the recent log alone.
        if clear and was_clear and captured_at - before <= self.spec.lengths[-1]:
            return None
        moved = clear or was_clear or windows.is_hit(scores)
        due = windows.watermark // REPEAT > before // REPEAT
        return _assess(batch, detection, windows, scores[0]) if moved or due else None


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
