"""Who somebody is to the on-call view, and what that lets them do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody was let in as; each may do what the ones before it may."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a page or an operation asks for."""

    OPEN = "open"
    """Nothing: it answers whoever asks."""
    VIEW = "view"
    """See streams, decisions and their reasons."""
    EVIDENCE = "evidence"
    """See pictures of people, which is audited."""
    ACT = "act"
    """Order something of a stream or an incident."""
    CONTROL = "control"
    """Order something of all streams, such as a kill switch, a drill or a redrive."""


_GRANTED = {
    Role.VIEWER: frozenset({Permission.OPEN, Permission.VIEW}),
    Role.RESPONDER: frozenset(
        {Permission.OPEN, Permission.VIEW, Permission.EVIDENCE, Permission.ACT}
    ),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in. ``name`` is a pseudonym, and is what the audit says of them."""

    name: str
    role: Role

    def may(self, permission: Permission) -> bool:
        """Whether the person's role grants ``permission``."""
        return permission in _GRANTED[self.role]
