"""The manifest's hash chain: whatever is changed in a folder is found, and named."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.incident.chain import (
    MANIFEST,
    Entry,
    Fault,
    Found,
    ManifestInvalid,
    chained,
    faults,
    read_manifest,
)

ID = "1f0e4c1a-6c3b-5f6e-9a54-0d8f3b1c2d7e"
FILES = {"criteria.json": b"{}", "evidence/frame-0001.jpg": b"\xff\xd8", "timeline.json": b"[]"}
FOLDERS = st.dictionaries(st.text("abc/.", min_size=1, max_size=8), st.binary(max_size=8))


def found(files: dict[str, bytes]) -> dict[str, Found]:
    return {
        name: Found(len(content), sha256(content).hexdigest()) for name, content in files.items()
    }


@given(FOLDERS)
def test_an_untouched_folder_has_no_faults(files: dict[str, bytes]) -> None:
    manifest = chained(ID, files)

    assert faults(manifest, found(files), manifest.chain) == []


@given(FOLDERS, FOLDERS)
def test_two_folders_have_the_same_chain_only_if_their_files_are_the_same(
    one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    assert (chained(ID, one).chain == chained(ID, other).chain) == (one == other)


def test_two_incidents_with_the_same_files_have_different_chains() -> None:
    """A folder can't pass for another incident's by its manifest's first lines."""
    other = chained("another", FILES)

    assert chained(ID, FILES).chain != other.chain
    renamed = msgspec.structs.replace(other, incident_id=ID)
    assert "chain does not hold from criteria.json" in faults(renamed, found(FILES))[0].what


def test_the_chain_is_the_documented_one() -> None:
    """Whoever checks a folder without this program can: SHA-256 over lines of hex and names."""
    value = sha256(f"firebreak-incident/1\n{ID}\n".encode()).hexdigest()
    for name in sorted(FILES):
        digest = sha256(FILES[name]).hexdigest()
        value = sha256(f"{value}\n{name}\n{digest}\n".encode()).hexdigest()

    assert chained(ID, FILES).chain == value


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({**FILES, "timeline.json": b"[1]"}, Fault("timeline.json", "altered")),
        (
            {k: v for k, v in FILES.items() if k != "criteria.json"},
            Fault("criteria.json", "missing"),
        ),
        ({**FILES, "evidence/extra.jpg": b""}, Fault("evidence/extra.jpg", "added")),
    ],
    ids=["altered", "missing", "added"],
)
def test_a_changed_file_is_named_with_what_was_done_to_it(
    now: dict[str, bytes], expected: Fault
) -> None:
    assert faults(chained(ID, FILES), found(now)) == [expected]


def test_an_entry_that_is_put_right_by_hand_breaks_the_chain_where_it_stands() -> None:
    """Altering a file and its digest in the manifest is not enough."""
    manifest = chained(ID, FILES)
    changed = {**FILES, "evidence/frame-0001.jpg": b"other"}
    forged = Entry(
        "evidence/frame-0001.jpg", 5, sha256(b"other").hexdigest(), manifest.entries[1].chain
    )
    entries = [manifest.entries[0], forged, manifest.entries[2]]
    manifest = msgspec.structs.replace(manifest, entries=entries)

    (fault,) = faults(manifest, found(changed))

    assert fault.file == MANIFEST
    assert "from evidence/frame-0001.jpg on" in fault.what


def test_entries_that_are_dropped_or_swapped_break_the_chain() -> None:
    manifest = chained(ID, FILES)
    first, second, third = manifest.entries

    for entries in ([first, third], [second, first, third]):
        changed = msgspec.structs.replace(manifest, entries=entries)
        present = {entry.file: found(FILES)[entry.file] for entry in entries}
        assert [fault.file for fault in faults(changed, present)] == [MANIFEST]


def test_a_manifest_that_is_made_anew_is_found_by_the_value_that_was_printed() -> None:
    """Without that value it passes, which is why it is to be kept elsewhere."""
    printed = chained(ID, FILES).chain
    forged = {**FILES, "timeline.json": b"forged"}
    manifest = chained(ID, forged)

    assert faults(manifest, found(forged)) == []
    assert [fault.file for fault in faults(manifest, found(forged), printed)] == [MANIFEST]


def test_a_manifest_is_read_back_as_it_was_written() -> None:
    manifest = chained(ID, FILES)

    assert read_manifest(msgspec.json.encode(manifest)) == manifest


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "truncated"),
        (b'{"format": "firebreak-incident/1"}', "incident_id"),
        (b'{"format": "other/1", "incident_id": "x", "entries": []}', "format: expected"),
        (b'{"format": "firebreak-incident/1", "incident_id": "x", "entries": [1]}', "entries"),
    ],
    ids=["nothing", "a-field-is-missing", "another-format", "a-wrong-type"],
)
def test_what_is_no_manifest_is_refused_with_the_field(content: bytes, said: str) -> None:
    with pytest.raises(ManifestInvalid, match=f"manifest.json: .*{said}"):
        read_manifest(content)
