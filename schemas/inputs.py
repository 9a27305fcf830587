"""What comes from outside: frames and news of streams, orders of people, answers of services."""

from __future__ import annotations

from .base import Record
from .ids import derive_id


class FrameSampled(Record, frozen=True):
    """One frame taken from a live stream by a shard."""

    TIME = "captured_at"

    stream_id: str
    session_id: str
    shard_id: str
    sequence: int
    """Number of this sample within the session, from 0."""
    captured_at: int
    codec: str
    """``jpeg``, ``png``, ``webp`` for pictures; ``h264``, ``hevc``, ``av1`` for one key frame."""
    width: int
    height: int
    payload: bytes
    drill: bool = False
    payload_uri: str = ""
    """Where the payload lies, if it is not in ``payload``: at an origin that the operator lists."""

    @property
    def id(self) -> str:
        return derive_id("frame", self.stream_id, self.session_id, self.sequence)


class StreamUpdated(Record, frozen=True):
    """Something about a stream itself changed. What is not known has its default."""

    TIME = "updated_at"

    stream_id: str
    session_id: str
    shard_id: str
    change: str
    """``started``, ``updated``, ``reported`` (by a viewer, each report once) or ``ended``."""
    updated_at: int
    drill: bool = False
    account_id: str = ""
    """Pseudonym of whose stream it is: a restart under it is recognised, nothing else is done."""
    viewers: int = -1
    category: str = ""
    region: str = ""
    """ISO 3166-1 alpha-2 code, which the police to refer to follows from."""
    account_age_days: int = -1
    previous_streams: int = -1
    """How many streams the account has had before; 0 for a first one."""

    @property
    def id(self) -> str:
        named = [self.stream_id, self.session_id, self.change]
        # A session starts and ends once; of the others there may be many.
        if self.change not in ("started", "ended"):
            named.append(str(self.updated_at))
        return derive_id("stream", *named)


class TakedownAcknowledged(Record, frozen=True):
    """What a takedown service says it did about a :class:`TakedownRequested`."""

    ID = "acknowledgement_id"
    TIME = "acknowledged_at"

    acknowledgement_id: str
    takedown_id: str
    stream_id: str
    session_id: str
    outcome: str
    """``stopped`` (done, or nothing left to stop) or ``failed``."""
    detail: str
    service: str
    acknowledged_at: int


class OperatorCommanded(Record, frozen=True):
    """What a person orders, of one stream or of a scope. People outrank the machine."""

    ID = "command_id"
    TIME = "issued_at"

    command_id: str
    command: str
    """A member of ``Command``."""
    operator: str
    """Pseudonym of who ordered it."""
    reason: str
    issued_at: int
    stream_id: str = ""
    """Empty where a scope is ordered."""
    session_id: str = ""
    """Empty for the stream's session of that time."""
    scope: str = ""
    """``all``, ``region:XX`` or ``policy:NAME``; empty where a stream is."""
    until: int = 0
    """When it lapses; of use to ``suppress``, ``hold-takedowns`` and ``trip-breaker``."""
    assignee: str = ""
    """Pseudonym of whose the incident is from now on, of use to ``assign``: empty for nobody's."""

    @property
    def subject(self) -> str:
        return self.stream_id or self.scope


class Ticked(Record, frozen=True):
    """Time passed, for a partition in which nothing else may happen."""

    TIME = "ticked_at"

    partition: int
    ticked_at: int

    @property
    def id(self) -> str:
        return derive_id("tick", self.partition, self.ticked_at)

    @property
    def subject(self) -> str:
        return str(self.partition)
