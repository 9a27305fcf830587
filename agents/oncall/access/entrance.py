"""Signing in and out: which token lets whom in, and what a browser holds afterwards. Pure.

What is used up (one-time links) or revoked (sessions that were signed out) is known to the worker
at which that happened, and to no other. Elsewhere a link could be used again within its ten
minutes, and a session that was copied before its owner signed out would last its twelve hours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .remembered import Remembered
from .tokens import SESSION_LASTS, Grant, Purpose, Refusal, Tokens


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser holds once somebody signed in."""

    token: str = field(repr=False)
    grant: Grant


@dataclass(slots=True)
class Entrance:
    """Where people sign in, at one worker."""

    tokens: Tokens
    _spent: Remembered = field(default_factory=Remembered)
    _revoked: Remembered = field(default_factory=Remembered)

    def enter(self, token: str, now: int, session_id: str) -> Session | Refusal:
        """A session for whoever ``token`` names: a one-time link's, which is used up by it, or a
        bearer's, which the session does not outlast. ``session_id`` is nobody else's."""
        expires_at = now + SESSION_LASTS
        found = self.tokens.read(token, Purpose.LINK, now)
        if isinstance(found, Grant):
            if not self._spent.add(found.token_id, found.expires_at, now):
                return Refusal.SPENT
        elif found is Refusal.INVALID:
            found = self.tokens.read(token, Purpose.BEARER, now)
            if isinstance(found, Grant):
                expires_at = min(expires_at, found.expires_at)
        if isinstance(found, Refusal):
            return found
        session = self.tokens.issue(Purpose.SESSION, found.person, expires_at, session_id)
        return Session(session, Grant(session_id, found.person, expires_at))

    def whose(self, session: str, now: int) -> Grant | Refusal:
        """Whose ``session``, a cookie's value, is."""
        found = self.tokens.read(session, Purpose.SESSION, now)
        if isinstance(found, Grant) and found.token_id in self._revoked:
            return Refusal.REVOKED
        return found

    def leave(self, session: str, now: int) -> None:
        """End ``session``: a copy of it is good for nothing here any more."""
        found = self.whose(session, now)
        if isinstance(found, Grant):
            self._revoked.add(found.token_id, found.expires_at, now)
