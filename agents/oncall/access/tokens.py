"""Signed tokens, by which people and programs say who they are. Pure.

A token is a JSON Web Token (RFC 7519) by HMAC-SHA-256: who signs is also who verifies, the fleet's
workers, so that one secret is all there is to share; it is short enough to be pasted; and checking
one takes microseconds, on each request. What a token is for is its ``typ`` (RFC 8725, 3.11), so
that none can be used as another. Times are in microseconds since the epoch; within the token, in
seconds.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from schemas import MICROSECONDS

from .roles import Person, Role

KEY_CHARACTERS = 32
"""The fewest of a key; those that ``firebreak token key`` makes have 43."""
NAME_CHARACTERS = 64
SESSION_LASTS = 12 * 3600 * MICROSECONDS
"""How long somebody stays signed in: a shift."""
LINK_LASTS = 600 * MICROSECONDS
"""How long a one-time link can be used."""

_ALGORITHM: Final = "HS256"
_LONGEST = 2_000
"""Characters of a token: what is longer is none of ours, and is not looked at."""


class KeyUnfit(ValueError):
    """A key that is too short to sign with. The message does not quote it."""


class NameUnfit(ValueError):
    """A name that is empty, too long, or not plain text."""


class Purpose(StrEnum):
    """What a token is for."""

    BEARER = "bearer"
    """Sent with each request by a program, or given once by a person to sign in."""
    LINK = "link"
    """Signs in once."""
    SESSION = "session"
    """A browser's cookie."""


class Refusal(StrEnum):
    """Why a token is not taken."""

    INVALID = "the token is not one of ours"
    EXPIRED = "the token has expired"
    SPENT = "the link was used already"
    REVOKED = "signed out"
    OFF = "sign-in by token is off"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token that was taken says."""

    token_id: str
    person: Person
    expires_at: int


class _Claims(msgspec.Struct, frozen=True):
    sub: str
    role: Role
    jti: str
    exp: int


class Tokens:
    """Issues tokens and reads them. The first of ``keys`` signs, each of them verifies.

    To rotate, put a new key first and keep the old one until what it signed has expired. Without
    keys nothing can be read. Raises ``KeyUnfit``.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if any(len(key) < KEY_CHARACTERS for key in keys):
            raise KeyUnfit(f"a key has {KEY_CHARACTERS} characters at least")
        self._keys = [OctKey.import_key(key) for key in keys]
        self._other_uses = [
            hmac.digest(key.encode(), b"firebreak web, requests", sha256) for key in keys
        ]

    @property
    def on(self) -> bool:
        """Whether there is a key."""
        return bool(self._keys)

    @property
    def request_keys(self) -> Sequence[bytes]:
        """What proofs that a request comes from our own pages are made with, in the same order."""
        return self._other_uses

    def issue(self, purpose: Purpose, person: Person, expires_at: int, token_id: str) -> str:
        """A token that is good before ``expires_at``; ``token_id`` is nobody else's."""
        claims = {
            "sub": checked_name(person.name),
            "role": person.role.value,
            "jti": token_id,
            "exp": expires_at // MICROSECONDS,
        }
        header = {"alg": _ALGORITHM, "typ": _type(purpose)}
        return jwt.encode(header, claims, self._keys[0], algorithms=[_ALGORITHM])

    def read(self, token: str, purpose: Purpose, now: int) -> Grant | Refusal:
        """What ``token`` says, if one of our keys signed it for ``purpose``."""
        if not self._keys:
            return Refusal.OFF
        if len(token) > _LONGEST or not token.isascii():
            return Refusal.INVALID
        for key in self._keys:
            try:
                found = jwt.decode(token, key, algorithms=[_ALGORITHM])
                if found.header.get("typ") != _type(purpose):
                    return Refusal.INVALID
                claims = msgspec.convert(found.claims, _Claims)
                person = Person(checked_name(claims.sub), claims.role)
            except (JoseError, ValueError):  # what msgspec raises is a ValueError
                continue
            if now >= claims.exp * MICROSECONDS:
                return Refusal.EXPIRED
            return Grant(claims.jti, person, claims.exp * MICROSECONDS)
        return Refusal.INVALID


def checked_name(name: str) -> str:
    """``name``, by which the audit knows somebody. Raises ``NameUnfit``."""
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable() or name != name.strip():
        raise NameUnfit(f"a name is plain text of 1 to {NAME_CHARACTERS} characters")
    return name


def _type(purpose: Purpose) -> str:
    return f"firebreak-{purpose}+jwt"
