"""What is remembered of a partition's sessions, kept in a compacted topic of its own. Pure.

A Faust table would hold the same. Its recovery is what lost events and stood still when workers
came and went (see ``topology/faust_mend.py``), and it writes through a second producer whose
acknowledgement nothing waits for. Here a state is with the brokers before the risk that led to it
is acknowledged, and it is read back by the first risk that does not continue what is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from .machine import SessionDecision, State

_KEY_SEPARATOR = "\x1f"
_STATE = msgspec.json.Decoder(SessionDecision)


class StateLog(Protocol):
    """The compacted log; its partitions are those of the risk topic."""

    async def read(self, partition: int) -> Mapping[bytes, bytes]:
        """The last value of each key in ``partition``, but of those that were removed."""
        ...

    async def write(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Return once the brokers have it; ``None`` removes the key. Raises ``PublishFailed``."""
        ...


@dataclass(slots=True)
class PartitionDecisions:
    """The sessions of one partition that are not clear.

    ``next_offset`` is the risk offset that continues this state: anything else means that risks
    were decided elsewhere meanwhile, and the state has to be read back.
    """

    log: StateLog
    partition: int
    next_offset: int = -1
    sessions: dict[bytes, SessionDecision] = field(default_factory=dict)

    async def catch_up(self, offset: int) -> None:
        """Make the state that before the risk at ``offset``, or that of a later risk: deciding
        again what was decided before gives the same effects or fewer."""
        if offset != self.next_offset:
            kept = await self.log.read(self.partition)
            self.sessions = {key: _STATE.decode(value) for key, value in kept.items()}
        self.next_offset = offset + 1

    def known(self, stream_id: str, session_id: str) -> SessionDecision | None:
        return self.sessions.get(_key(stream_id, session_id))

    async def remember(self, stream_id: str, session_id: str, state: SessionDecision) -> None:
        """Keep ``state``; a clear session needs no remembering, so the log has only the others."""
        key = _key(stream_id, session_id)
        if state.state is State.CLEAR:
            if self.sessions.pop(key, None) is not None:
                await self.log.write(self.partition, key, None)
        elif state != self.sessions.get(key):
            self.sessions[key] = state
            await self.log.write(self.partition, key, msgspec.json.encode(state))


def _key(stream_id: str, session_id: str) -> bytes:
    return _KEY_SEPARATOR.join((stream_id, session_id)).encode()
