"""Signatures of decisions, so that a takedown service can refuse what the topology did not issue.

Header ``signature`` of a decision's record: a detached JSON Web Signature (RFC 7515, appendix F) by
Ed25519 (RFC 8037, named as RFC 9864 does) over the record's value. Its protected header has the
key's id (``kid``, the thumbprint of RFC 7638) and the event's type (``typ``), so that no other
event can be passed off as that one. Any JOSE library can verify it. Keys are told as a JSON Web Key
Set (RFC 7517); a key is rotated by telling the new one before it signs, and the old one until its
last record has been read.

Needs ``firebreak-schemas[signatures]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, TypeVar, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from .codec import Codec
from .effects import (
    CommandAnswered,
    DecisionReversed,
    EscalationRaised,
    IncidentClosed,
    ReferralPrepared,
    SamplingBoostRequested,
    TakedownRequested,
)
from .headers import ReadHeaders, read_header
from .records import Event

SIGNATURE = "signature"
"""The header's name."""
SIGNED: frozenset[type[Event]] = frozenset(
    {
        TakedownRequested,
        EscalationRaised,
        SamplingBoostRequested,
        ReferralPrepared,
        DecisionReversed,
        IncidentClosed,
        CommandAnswered,
    }
)
"""What is signed: the events by which somebody acts."""

_ALGORITHM: Final = "Ed25519"

E = TypeVar("E", bound=Event)


class KeyInvalid(ValueError):
    """No Ed25519 key of the kind that is asked for. The message does not quote the key."""


class NotIssued(Exception):
    """A record bears no signature of a key that is trusted: it must not be acted on."""


class Signer:
    """Signs decisions. ``private_key`` is one in PEM (PKCS #8) or as a JSON Web Key.

    Raises ``KeyInvalid``.
    """

    def __init__(self, private_key: str) -> None:
        self._key = _import(private_key)
        if not self._key.is_private:
            raise KeyInvalid("it is a public key, and signing takes the private one")

    @property
    def key_id(self) -> str:
        return self._key.thumbprint()

    def sign(self, event_type: type[Event], value: bytes) -> bytes:
        """The header's value for a record with an event of this type in ``value``."""
        protected = {"alg": _ALGORITHM, "kid": self.key_id, "typ": _type(event_type)}
        signed = jws.serialize_compact(protected, value, self._key, algorithms=[_ALGORITHM])
        return jws.detach_content(signed).encode()


class Verifier:
    """Reads decisions, and refuses what none of the keys in ``key_set`` has signed.

    ``key_set`` is a JSON Web Key Set, as text. Raises ``KeyInvalid``.
    """

    def __init__(self, key_set: str) -> None:
        try:
            keys = json.loads(key_set)["keys"]
        except (ValueError, TypeError, KeyError):
            raise KeyInvalid("no JSON Web Key Set") from None
        imported = [_import(json.dumps(key)) for key in keys]
        self._keys = {key.thumbprint(): key for key in imported}

    @property
    def key_ids(self) -> frozenset[str]:
        return frozenset(self._keys)

    def verify(self, expected: type[Event], value: bytes | None, headers: ReadHeaders) -> str:
        """The id of the key that signed ``value`` as an ``expected``. Raises ``NotIssued``."""
        signature = read_header(headers, SIGNATURE)
        if not signature:
            raise NotIssued("not signed")
        try:
            found = jws.extract_compact(signature.encode(), value or b"")
            # One that brings a payload of its own would be verified over that.
            if found.payload != (value or b""):
                raise NotIssued("the signature of something else")
            protected: dict[str, Any] = found.headers()
            key_id = protected.get("kid")
            key = self._keys.get(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise NotIssued(f"signed by the key {str(key_id)[:80]!r}, which is not trusted")
            if protected.get("typ") != _type(expected):
                raise NotIssued(f"signed as {str(protected.get('typ'))[:80]!r}")
            valid = jws.validate_compact(found, key, algorithms=[_ALGORITHM])
        # What anybody may write reaches any of the parser's errors.
        except (JoseError, ValueError, TypeError) as error:
            raise NotIssued(f"no signature of this kind: {type(error).__name__}") from error
        if not valid:
            raise NotIssued(f"not what the key {key.thumbprint()} has signed")
        return key.thumbprint()

    def read(self, codec: Codec, expected: type[E], value: bytes, headers: ReadHeaders) -> E:
        """The ``expected`` in ``value``. Raises ``NotIssued``, and what ``Codec.decode`` raises."""
        self.verify(cast(type[Event], expected), value, headers)
        return codec.decode(value, expected)


def new_private_key() -> str:
    """A fresh private key in PEM (PKCS #8), for ``Signer``."""
    return OKPKey.generate_key(_ALGORITHM).as_pem(private=True).decode()


def key_set(keys: Iterable[str]) -> str:
    """The public halves of ``keys`` as a JSON Web Key Set, for ``Verifier``.

    They are private or public, in PEM or as JSON Web Keys. Raises ``KeyInvalid``.
    """
    told = [
        {
            "kty": "OKP",
            "crv": _ALGORITHM,
            "x": key.as_dict(private=False)["x"],
            "kid": key.thumbprint(),
            "use": "sig",
            "alg": _ALGORITHM,
        }
        for key in map(_import, keys)
    ]
    return json.dumps({"keys": told}, indent=2)


def _type(event_type: type[Event]) -> str:
    return f"firebreak.{event_type.__name__}"


def _import(key: str) -> OKPKey:
    try:
        imported = OKPKey.import_key(json.loads(key) if key.lstrip().startswith("{") else key)
        curve = imported.curve_name
    # Neither of the libraries below says which of its errors a key that is none of theirs meets.
    except Exception as error:  # noqa: BLE001
        raise KeyInvalid(f"no Ed25519 key: {type(error).__name__}") from None
    if curve != _ALGORITHM:
        raise KeyInvalid(f"a key of the curve {curve}, and not of Ed25519")
    return imported
