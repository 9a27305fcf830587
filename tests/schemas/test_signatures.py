"""Signatures of decisions: what is taken for issued, and what is not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from schemas import Codec, EscalationRaised, TakedownRequested
from schemas.signatures import (
    SIGNATURE,
    KeyInvalid,
    NotIssued,
    Signer,
    Verifier,
    key_set,
    new_private_key,
)
from tests.oncall.events import takedown_requested

CODEC = Codec()
KEY, OTHER_KEY = new_private_key(), new_private_key()
SIGNER = Signer(KEY)
VERIFIER = Verifier(key_set([KEY]))
TAKEDOWN = takedown_requested(takedown_id="t-1")
VALUE = CODEC.encode(TAKEDOWN)
SIGNED = SIGNER.sign(TakedownRequested, VALUE)


def headers(signature: bytes) -> list[tuple[str, bytes]]:
    return [("ce_id", b"t-1"), (SIGNATURE, signature)]


def decoded(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def with_protected(**changes: Any) -> bytes:
    protected, _, signature = SIGNED.split(b".")
    fields = {**json.loads(decoded(protected)), **changes}
    return b".".join([encoded(json.dumps(fields).encode()), b"", signature])


def test_what_the_topology_issued_is_read() -> None:
    assert VERIFIER.read(CODEC, TakedownRequested, VALUE, headers(SIGNED)) == TAKEDOWN
    assert VERIFIER.verify(TakedownRequested, VALUE, headers(SIGNED)) == SIGNER.key_id


def test_the_same_decision_is_signed_the_same() -> None:
    assert SIGNER.sign(TakedownRequested, VALUE) == SIGNED


def test_any_jose_implementation_can_verify_it() -> None:
    """By the letter of RFC 7515: the payload goes back in, and Ed25519 is over the ASCII text."""
    protected, empty, signature = SIGNED.split(b".")
    assert empty == b""
    (key,) = json.loads(key_set([KEY]))["keys"]
    assert json.loads(decoded(protected)) == {
        "alg": "Ed25519",
        "kid": key["kid"],
        "typ": "firebreak.TakedownRequested",
    }
    public = Ed25519PublicKey.from_public_bytes(decoded(key["x"].encode()))
    public.verify(decoded(signature), protected + b"." + encoded(VALUE))


def test_keys_that_are_told_are_public() -> None:
    (key,) = json.loads(key_set([KEY]))["keys"]
    assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}


def test_a_public_key_can_be_told_on_and_cannot_sign() -> None:
    (key,) = json.loads(key_set([KEY]))["keys"]
    assert key_set([json.dumps(key)]) == key_set([KEY])
    with pytest.raises(KeyInvalid, match="public key"):
        Signer(json.dumps(key))


def test_both_keys_are_trusted_while_one_follows_the_other() -> None:
    both = Verifier(key_set([KEY, OTHER_KEY]))
    for key in (KEY, OTHER_KEY):
        signature = Signer(key).sign(TakedownRequested, VALUE)
        assert both.verify(TakedownRequested, VALUE, headers(signature)) == Signer(key).key_id
    assert both.key_ids == {Signer(KEY).key_id, Signer(OTHER_KEY).key_id}


@given(st.integers(0, len(VALUE) - 1), st.integers(1, 255))
def test_no_byte_of_a_decision_can_be_changed(at: int, change: int) -> None:
    changed = bytearray(VALUE)
    changed[at] ^= change
    with pytest.raises(NotIssued, match="not what the key"):
        VERIFIER.verify(TakedownRequested, bytes(changed), headers(SIGNED))


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        (b"", "not signed"),
        (Signer(OTHER_KEY).sign(TakedownRequested, VALUE), "not trusted"),
        (SIGNER.sign(EscalationRaised, VALUE), "signed as 'firebreak.EscalationRaised'"),
        (with_protected(typ="firebreak.EscalationRaised"), "signed as"),
        (with_protected(alg="none"), "no signature of this kind"),
        (with_protected(alg="HS256"), "no signature of this kind"),
        (with_protected(alg="EdDSA"), "no signature of this kind"),
        (with_protected(alg=None), "no signature of this kind"),
        (with_protected(kid=None), "not trusted"),
        (with_protected(kid=["x"]), "not trusted"),
        (with_protected(crit=["b64"], b64=False), "not what the key|no signature of this kind"),
        (b".".join([SIGNED.split(b".")[0], b"", b""]), "not what the key"),
        (b"...", "no signature of this kind"),
        (b"\xff\xfe", "no signature of this kind"),
    ],
)
def test_what_it_did_not_issue_is_refused(signature: bytes, why: str) -> None:
    with pytest.raises(NotIssued, match=why):
        VERIFIER.verify(TakedownRequested, VALUE, headers(signature))


@given(st.binary(max_size=300))
def test_whatever_somebody_writes_there_is_refused(signature: bytes) -> None:
    with pytest.raises(NotIssued):
        VERIFIER.verify(TakedownRequested, VALUE, headers(signature))


def test_a_payload_in_the_signature_does_not_stand_for_the_value() -> None:
    """A whole token of a real decision must not cover another value beside it."""
    protected, _, signature = SIGNED.split(b".")
    whole = b".".join([protected, encoded(VALUE), signature])
    with pytest.raises(NotIssued):
        VERIFIER.verify(TakedownRequested, VALUE + b"x", headers(whole))


def test_a_record_without_value_or_headers_is_refused() -> None:
    with pytest.raises(NotIssued):
        VERIFIER.verify(TakedownRequested, None, headers(SIGNED))
    with pytest.raises(NotIssued, match="not signed"):
        VERIFIER.verify(TakedownRequested, VALUE, None)


def pem_of(key: Any) -> str:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return str(pem.decode())


@pytest.mark.parametrize(
    "key",
    [
        "",
        "nonsense",
        "{}",
        '{"kty": "OKP"}',
        '{"kty": "oct", "k": "c2VjcmV0"}',
        pem_of(ed448.Ed448PrivateKey.generate()),
        pem_of(rsa.generate_private_key(65537, 2048)),
    ],
)
def test_a_key_of_another_kind_is_refused_without_quoting_it(key: str) -> None:
    with pytest.raises(KeyInvalid) as told:
        Signer(key)
    assert "c2VjcmV0" not in str(told.value)
    assert "BEGIN" not in str(told.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"keys": [{"kty": "oct"}]}'])
def test_a_set_of_no_such_keys_is_refused(text: str) -> None:
    with pytest.raises(KeyInvalid):
        Verifier(text)
