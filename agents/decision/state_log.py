"""What is remembered of a partition's sessions, kept in a compacted topic of its own.

A Faust table would hold the same. Its recovery is what lost events and stood still when workers
came and went (see ``topology/faust_mend.py``), and it writes through a second producer whose
acknowledgement nothing waits for.

What an event changes is with the brokers before its effects are published, and the effects with
it; both are before the event is acknowledged. So an event that comes again after a crash is not
decided again, which other events in between could make come out otherwise: its effects are
published again, word for word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from schemas import EVENT_TYPES, Event, StreamsCounted

from ..publishing import ProcessUnfit
from .partition import PartitionDecisions
from .session import Session
from .states import State
from .turn import Outcome
from .watching import Key

_KEY_SEPARATOR = "\x1f"

IsMember = Callable[[], Awaitable[bool]]
"""Whether the group that hands out the partitions still takes this worker for a member, with the
partitions that it was handed last."""


class PartitionLost(ProcessUnfit):
    """Another worker has the partition: what was decided of it here must not come out."""


class StateLog(Protocol):
    """The compacted log; its partitions are those of the topics that decisions rest on."""

    async def take(self, partition: int, is_member: IsMember) -> Mapping[bytes, bytes] | None:
        """As ``read``, and from now on what others write to ``partition`` counts no more. ``None``
        where another worker has been handed the partition meanwhile."""
        ...

    async def read(self, partition: int) -> Mapping[bytes, bytes]:
        """The last value of each key in ``partition``, but of those that were removed."""
        ...

    async def write(self, partition: int, key: bytes, value: bytes | None) -> bool:
        """Whether it counts, once the brokers have it; ``None`` removes the key.

        Raises ``PublishFailed``."""
        ...

    async def holds(self, partition: int) -> bool:
        """Whether what is written counts: nobody else has taken ``partition`` until now.

        Raises ``PublishFailed``."""
        ...

    def take_buried(self, partition: int) -> Collection[bytes]:
        """Keys that another worker wrote to since this was last asked, though it had lost
        ``partition``. That does not count, but is the last of them: what does is to be written
        again, or the log's compaction would remove it."""
        ...


class _Sent(msgspec.Struct, frozen=True):
    name: str
    event: msgspec.Raw


class _Mark(msgspec.Struct, frozen=True):
    """The last event of a topic that changed a session, and the effects that it had."""

    offset: int
    effects: list[_Sent] = []


class _Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    session: Session
    marks: dict[str, _Mark] = {}
    """By topic."""


class _First(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the first version remembered: it had no incidents, and asked for a takedown once."""

    state: State = State.CLEAR
    decided_at: int = 0


_GONE = Session(ended_at=1)
"""Of a session that is forgotten, while its last effects are not yet known to be out."""
_REMEMBERED = msgspec.json.Decoder(_Remembered)
_FIRST = msgspec.json.Decoder(_First)


@dataclass(slots=True)
class PartitionMemory:
    """A partition's decisions, as far as the log has them.

    ``reload`` is for a worker that was handed the partition: others may have decided meanwhile.
    """

    log: StateLog
    partition: int
    decisions: PartitionDecisions = field(default_factory=PartitionDecisions)
    _marks: dict[Key, dict[str, _Mark]] = field(default_factory=dict)
    _next: dict[str, int] | None = None
    """The offset of each topic that continues this; none before the log was read."""
    _replayed: dict[str, int] = field(default_factory=dict)
    """The highest offset of each topic that the log had seen when it was read."""

    async def reload(self, is_member: IsMember) -> None:
        """Take the partition, and read the log again. Where it could not be taken, nothing that
        ``remember`` is told of it counts."""
        kept = await self.log.take(self.partition, is_member)
        self._next = None
        if kept is not None:
            self._learn(kept)
            self._next = {}

    async def catch_up(self, topic: str, offset: int) -> None:
        """Make this the state before the record, or after it where that was decided before."""
        if self._next is None or self._next.get(topic, offset) != offset:
            # Not taken: what a worker has left of a partition that it has lost comes here too.
            self._learn(await self.log.read(self.partition))
            self._next = {}
        self._next[topic] = offset + 1

    def done(self, topic: str, offset: int) -> frozenset[Key]:
        """The sessions that the record has changed already."""
        if offset > self._replayed.get(topic, -1):
            return frozenset()
        return frozenset(
            key
            for key, marks in self._marks.items()
            if topic in marks and marks[topic].offset >= offset
        )

    def effects_of(self, topic: str, offset: int) -> list[Event]:
        """The effects that the record had, word for word, where they may not be out yet."""
        if offset > self._replayed.get(topic, -1):
            return []
        return [
            msgspec.json.decode(sent.event, type=EVENT_TYPES[sent.name])
            for marks in self._marks.values()
            if topic in marks and marks[topic].offset == offset
            for sent in marks[topic].effects
        ]

    async def remember(self, topic: str, offset: int, outcome: Outcome) -> None:
        """Write what the record changed, before its effects are published.

        Raises ``PartitionLost`` where that does not count, so that the effects must not come out.
        """
        writes = []
        for key, effects in outcome.changed.items():
            session = self.decisions.sessions.get(key)
            if session is None and not effects:
                continue
            sent = [
                _Sent(type(it).__name__, msgspec.Raw(msgspec.json.encode(it))) for it in effects
            ]
            self._marks[key] = {**self._marks.get(key, {}), topic: _Mark(offset, sent)}
            writes.append(self._write(key))
        # What is counted at each tick decides nothing.
        if not writes and any(not isinstance(it, StreamsCounted) for it in outcome.effects):
            writes = [self.log.holds(self.partition)]
        counts = await asyncio.gather(*writes)
        again = [_decode(key) for key in self.log.take_buried(self.partition)]
        counts += await asyncio.gather(*(self._write(key) for key in again))
        if not all(counts):
            raise PartitionLost(f"partition {self.partition} is another worker's now")

    async def _write(self, key: Key) -> bool:
        """Have the log remember what is remembered here. Whether that counts."""
        session, marks = self.decisions.sessions.get(key), self._marks.get(key)
        value = None
        if session is not None or marks is not None:
            value = msgspec.json.encode(_Remembered(session or _GONE, marks or {}))
        return await self.log.write(self.partition, _encode(key), value)

    async def let_go(self, outcome: Outcome) -> None:
        """Remove what need not be remembered, once its effects are out."""
        gone = [
            key
            for key in outcome.changed
            if key not in self.decisions.sessions and self._marks.pop(key, None) is not None
        ]
        await asyncio.gather(*(self.log.write(self.partition, _encode(key), None) for key in gone))

    def _learn(self, kept: Mapping[bytes, bytes]) -> None:
        found = {_decode(key): _read_value(value) for key, value in kept.items()}
        self.decisions = PartitionDecisions(
            {key: it.session for key, it in found.items() if it.session != _GONE}
        )
        self._marks = {key: it.marks for key, it in found.items()}
        self._replayed = {}
        for marks in self._marks.values():
            for topic, mark in marks.items():
                self._replayed[topic] = max(mark.offset, self._replayed.get(topic, -1))


def _read_value(value: bytes) -> _Remembered:
    try:
        return _REMEMBERED.decode(value)
    except msgspec.ValidationError:
        return _Remembered(Session(state=_FIRST.decode(value).state))


def _sent(effect: Event) -> _Sent:
    return _Sent(type(effect).__name__, msgspec.Raw(msgspec.json.encode(effect)))


def _encode(key: Key) -> bytes:
    return _KEY_SEPARATOR.join(key).encode()


def _decode(key: bytes) -> Key:
    stream_id, _, session_id = key.decode().partition(_KEY_SEPARATOR)
    return stream_id, session_id
