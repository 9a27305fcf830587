"""Which sessions are heard: told every few seconds each, at a cost that goes by what is due. Pure.

A session that is heard is told at the next tick, and then again every ``REPORT_EVERY`` for as long
as it is heard; one that was not heard in between is let out until it is, and forgotten once it has
been idle.

Each frame that windows took in is told once, as one of so many of its session. A worker that takes
a partition over tells which sessions are heard, and counts from the first frame on that it judges
itself: what the worker before judged and had not told of yet, a few seconds of frames, is not
counted, rather than half a minute of them being counted twice.
"""

from __future__ import annotations

from collections import deque

from schemas import MICROSECONDS, StreamHeard

from .windows import SessionWindows

REPORT_EVERY = 5 * MICROSECONDS
IDLE = 10 * 60 * MICROSECONDS
"""A session that was not heard for this long is forgotten."""
MOST_BYTES = 512 * 1024
"""Told at one tick, in one record: half of what brokers take by default. What is left is first at
the next one, so with more sessions than that each is told a little less often."""
_BESIDE_IDS = 24
"""Most bytes of a session's times and counts, and of the lengths of its ids."""

Key = tuple[str, str]
"""Of a session: ``stream_id`` and ``session_id``."""


class Session:
    """A session's windows, and what is noted of its being heard."""

    __slots__ = ("appended_at", "frames", "in_turn", "silent_at", "told_at", "windows")

    def __init__(self, windows: SessionWindows) -> None:
        self.windows = windows
        self.appended_at = 0
        """When its newest frame was appended."""
        self.frames = 0
        """Judged since it was told of."""
        self.told_at = 0
        """That time of the frame that was told of last."""
        self.in_turn = False
        """Whether its turn to be told comes by itself."""
        self.silent_at = 0
        """When its turns ended, as it was not heard any more."""


class Hearing:
    """The sessions that are known; tells of those that are heard, and forgets idle ones."""

    def __init__(self) -> None:
        self.sessions: dict[Key, Session] = {}
        self._news: list[Key] = []
        self._turns: deque[tuple[int, Key]] = deque()
        self._silent: deque[tuple[int, Key]] = deque()

    def hear(self, key: Key, session: Session, appended_at: int) -> None:
        """A frame of ``session``, appended at ``appended_at``, has been judged and taken in."""
        session.appended_at = max(session.appended_at, appended_at)
        session.frames += 1
        if not session.in_turn:
            session.in_turn = True
            self.sessions[key] = session
            self._news.append(key)

    def tell(self, now: int) -> list[StreamHeard]:
        """The sessions that it is time to tell of at ``now``, in the order of their keys."""
        due = self._news
        while self._turns and self._turns[0][0] <= now:
            due.append(self._turns.popleft()[1])
        fits = _fitting(due)
        due, self._news = due[:fits], due[fits:]
        told = [heard for key in sorted(due) if (heard := self._tell(key, now)) is not None]
        while self._silent and self._silent[0][0] + IDLE <= now:
            self._forget(*self._silent.popleft())
        return told

    def _tell(self, key: Key, now: int) -> StreamHeard | None:
        session = self.sessions[key]
        # Frames of one time, and those that come late, may be judged after the newest was told of;
        # of a session that was taken over no frames are counted, and it is told all the same.
        more = session.frames and session.told_at
        if session.appended_at <= session.told_at and not more:
            session.in_turn, session.silent_at = False, now
            self._silent.append((now, key))
            return None
        session.told_at = session.appended_at
        self._turns.append((now + REPORT_EVERY, key))
        frames, session.frames = session.frames, 0
        return StreamHeard(*key, session.windows.watermark, session.appended_at, frames)

    def forget_counts(self) -> None:
        """What was judged up to now was counted by the worker that had the partition before."""
        for session in self.sessions.values():
            session.frames = 0

    def _forget(self, silent_at: int, key: Key) -> None:
        session = self.sessions.get(key)
        # It may have been heard again since, and have fallen silent again.
        if session is not None and not session.in_turn and session.silent_at == silent_at:
            del self.sessions[key]


def _fitting(keys: list[Key]) -> int:
    """How many of ``keys``, from the first on, are told in one record."""
    left = MOST_BYTES
    for number, key in enumerate(keys):
        left -= _BESIDE_IDS + sum(len(part.encode()) for part in key)
        if left < 0:
            return number
    return len(keys)
