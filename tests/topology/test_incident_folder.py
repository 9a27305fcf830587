"""The folder on disk: written whole, for its owner alone, and checked without trusting it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from topology.cli.incident import incident
from topology.incident.chain import ManifestInvalid
from topology.incident.folder import FolderUnusable, verify_folder, write_folder

ID = "1f0e4c1a-6c3b-5f6e-9a54-0d8f3b1c2d7e"
FILES = {"criteria.json": b"{}", "evidence/frame-0001.jpg": b"\xff\xd8", "timeline.json": b"[]"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "incident"
    write_folder(path, ID, FILES)
    return path


def permissions(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_only_its_owner_can_read_it(folder: Path) -> None:
    paths = list(folder.rglob("*"))

    assert {permissions(path) for path in (folder, *paths) if path.is_dir()} == {0o700}
    assert {permissions(path) for path in paths if path.is_file()} == {0o600}
    assert len(paths) == len(FILES) + 2


def test_it_is_not_written_into_what_is_there(tmp_path: Path) -> None:
    """Not even into an empty folder: others may be able to read it."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")

    for name in ("there", "link"):
        with pytest.raises(FolderUnusable, match="is there already"):
            write_folder(tmp_path / name, ID, FILES)
    assert list((tmp_path / "there").iterdir()) == []


def test_what_can_not_be_written_is_said_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(FolderUnusable, match="file/incident"):
        write_folder(tmp_path / "file" / "incident", ID, FILES)


def test_a_folder_as_it_was_written_is_whole(folder: Path) -> None:
    manifest, wrong = verify_folder(folder)

    assert wrong == []
    assert verify_folder(folder, manifest.chain)[1] == []


def alter(folder: Path) -> None:
    (folder / "evidence/frame-0001.jpg").write_bytes(b"\xff\xd9")


def remove(folder: Path) -> None:
    (folder / "criteria.json").unlink()


def add(folder: Path) -> None:
    (folder / "evidence/\x1b[2J.jpg").touch()


def link(folder: Path) -> None:
    other = folder.parent / "same-content"
    other.write_bytes(FILES["timeline.json"])
    (folder / "timeline.json").unlink()
    (folder / "timeline.json").symlink_to(other)


def pipe(folder: Path) -> None:
    (folder / "timeline.json").unlink()
    os.mkfifo(folder / "timeline.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (alter, "evidence/frame-0001.jpg: altered"),
        (remove, "criteria.json: missing"),
        (add, "evidence/\\x1b[2J.jpg: added"),
        (link, "timeline.json: altered"),
        (pipe, "timeline.json: altered"),
    ],
)
def test_verify_names_the_file_and_fails(
    folder: Path, change: Callable[[Path], None], said: str
) -> None:
    """What files are called can't write on the terminal; links and pipes are not opened."""
    change(folder)

    result = CliRunner().invoke(incident, ["verify", str(folder)])

    assert result.exit_code == 1
    assert result.output.splitlines() == [said, "Error: this is not the folder as it was written"]


def test_verify_says_what_to_compare_unless_it_is_given_the_chain_value(folder: Path) -> None:
    chain = verify_folder(folder)[0].chain

    without = CliRunner().invoke(incident, ["verify", str(folder)])
    given = CliRunner().invoke(incident, ["verify", str(folder), "--chain", chain.upper()])
    other = CliRunner().invoke(incident, ["verify", str(folder), "--chain", "0" * 64])

    assert f"chain {chain}: compare" in without.output
    assert (given.exit_code, given.output) == (0, f"whole: 3 files of {ID}\n")
    assert other.exit_code == 1
    assert "another chain value" in other.output


def test_a_manifest_can_not_make_it_read_outside_of_the_folder(folder: Path) -> None:
    """A name in the manifest is only compared with what lies in the folder."""
    secret = folder.parent / "secret"
    secret.write_bytes(FILES["timeline.json"])
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["entries"][2]["file"] = "../secret"
    (folder / "manifest.json").write_text(json.dumps(manifest))

    faults = {fault.file: fault.what for fault in verify_folder(folder)[1]}

    assert faults["../secret"] == "missing"
    assert faults["timeline.json"] == "added"


@pytest.mark.parametrize("linked", [False, True], ids=["none", "a-link"])
def test_a_folder_without_a_manifest_of_its_own_was_not_finished(
    folder: Path, linked: bool
) -> None:
    manifest = folder / "manifest.json"
    manifest.rename(folder.parent / "elsewhere")
    if linked:
        manifest.symlink_to(folder.parent / "elsewhere")

    with pytest.raises(ManifestInvalid, match="not finished"):
        verify_folder(folder)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderUnusable, match="is not a folder"):
        verify_folder(tmp_path / "nothing")
