"""``firebreak keys``, as an operator calls it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas.signatures import SIGNATURE, SIGNED, Signer, Verifier
from topology.cli.keys import KeyUnusable, keys
from topology.settings import load_settings
from topology.wire import build_signer


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(keys, [str(argument) for argument in arguments])


def refused(result: Result) -> str:
    assert isinstance(result.exception, KeyUnusable)
    return str(result.exception)


def test_a_new_key_is_its_owners_alone_and_is_told_by_its_id(tmp_path: Path) -> None:
    file = tmp_path / "key"
    result = call("new", file)
    assert result.exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert result.output.strip() == Signer(file.read_text()).key_id
    assert file.read_text() not in result.output


def test_a_key_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "key"
    call("new", file)
    before = file.read_text()
    assert refused(call("new", file)) == f"{file}: File exists"
    assert file.read_text() == before


def test_public_halves_of_old_and_new_make_one_set_that_verifies_both(tmp_path: Path) -> None:
    """A rotation, from the making of keys to the takedown service."""
    old, new = tmp_path / "old", tmp_path / "new"
    for file in (old, new):
        call("new", file)
    result = call("public", old, new)
    assert result.exit_code == 0
    found = json.loads(result.output)["keys"]
    assert [key["kid"] for key in found] == [Signer(it.read_text()).key_id for it in (old, new)]
    assert all("d" not in key for key in found)
    verifier = Verifier(result.output)
    event_type = next(iter(SIGNED))
    for file in (old, new):
        signer = Signer(file.read_text())
        headers = [(SIGNATURE, signer.sign(event_type, b"record"))]
        assert verifier.verify(event_type, b"record", headers) == signer.key_id


def test_a_public_half_can_be_given_where_the_private_one_is_kept(tmp_path: Path) -> None:
    private, public = tmp_path / "private", tmp_path / "public"
    call("new", private)
    told = call("public", private).output
    public.write_text(json.dumps(json.loads(told)["keys"][0]))
    assert call("public", public).output == told


@pytest.mark.parametrize("content", [b"", b"noise", b"{}", b"\xff\xfe", b'{"kty": "oct"}'])
def test_a_file_that_is_no_key_is_named_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    message = refused(call("public", file))
    assert message.startswith(f"{file}: ")
    assert "noise" not in message


def test_a_worker_takes_the_key_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("new", tmp_path / "firebreak_signing_key")
    monkeypatch.setenv("FIREBREAK_SECRETS_DIR", str(tmp_path))
    signer = build_signer(load_settings())
    assert signer is not None
    assert signer.key_id == Signer((tmp_path / "firebreak_signing_key").read_text()).key_id
