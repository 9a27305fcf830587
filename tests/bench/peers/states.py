"""Windows and decisions of one stream, for peers that keep state by key and as bytes."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import msgspec

from agents.aggregation.hearing import Session
from agents.aggregation.risk import PartitionWindows
from agents.aggregation.snapshot import pack, unpack
from agents.aggregation.windows import WindowSpec
from agents.decision.controls import Controls
from agents.decision.partition import PartitionDecisions
from agents.decision.policies import Policies
from agents.decision.policy import Policy
from schemas import DetectionsMade, Event

_SPEC = WindowSpec()


class Rules:
    """What is decided by in a process. What people ordered does not occur in the job."""

    def __init__(self, policy: Policy) -> None:
        self.policies = Policies(policy)
        self.controls = Controls()


class _Kept(msgspec.Struct, array_like=True):
    windows: list[tuple[str, str, bytes]]
    """Stream, session, and the windows' own snapshot."""
    decisions: bytes
    """Pickled: they change only with a risk, and so are carried along unread otherwise."""


_DECODER = msgspec.msgpack.Decoder(_Kept)


class StreamJudgement:
    """From detections of one stream to what is to be published.

    ``kept`` is what ``keep`` gave, of a stream that is known.
    """

    def __init__(self, rules: Rules, kept: bytes | None = None) -> None:
        self._rules = rules
        self._windows = PartitionWindows(_SPEC)
        self._decisions: PartitionDecisions | None = None
        self._pickled = b""
        if kept is None:
            self._decisions = PartitionDecisions()
            return
        known = _DECODER.decode(kept)
        self._pickled = known.decisions
        for stream_id, session_id, packed in known.windows:
            self._windows.sessions[stream_id, session_id] = Session(unpack(packed, _SPEC))

    def take(self, made: DetectionsMade) -> Iterator[Event]:
        """The risks that ``made`` moved, each followed by its effects."""
        for risk in self._windows.observe(made, made.detections[-1].offset):
            yield risk
            if self._decisions is None:
                self._decisions = pickle.loads(self._pickled)
            yield from self._decisions.take(
                risk, self._rules.policies, self._rules.controls
            ).effects

    def keep(self) -> bytes:
        """All that is known of the stream, once ``take`` has been read to its end."""
        if self._decisions is not None:
            self._pickled = pickle.dumps(self._decisions, pickle.HIGHEST_PROTOCOL)
        windows = [(*key, pack(session.windows)) for key, session in self._windows.sessions.items()]
        return msgspec.msgpack.encode(_Kept(windows, self._pickled))
