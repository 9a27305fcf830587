"""Reviewers' verdicts as labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.detection.learning.errors import LearningFailed
from agents.detection.learning.verdicts import read_verdicts


def write(path: Path, **fields: object) -> Path:
    verdict = {
        "verdict_id": "v1",
        "stream_id": "s",
        "session_id": "1",
        "verdict": True,
        "decided_at": 1_700_000_000_000_000,
        "frames": ["a.jpg"],
        **fields,
    }
    path.write_text(json.dumps(verdict) + "\n\n")
    return path


@pytest.mark.parametrize(
    ("verdict", "reason", "truths"),
    [
        (True, None, {"fictional": 0, "firearm": 1}),
        (False, "game", {"fictional": 1, "firearm": 0}),
        (False, "film", {"fictional": 1, "firearm": 0}),
        (False, "an umbrella", {"fictional": 0, "firearm": 0}),
        (False, None, {"fictional": 0, "firearm": 0}),
    ],
)
def test_a_verdict_labels_its_frames(
    tmp_path: Path, verdict: bool, reason: str | None, truths: dict[str, int]
) -> None:
    (read,) = read_verdicts(write(tmp_path / "v.jsonl", verdict=verdict, reason=reason))
    assert read.labelling.at(0) == truths


def test_each_stream_is_a_source_of_its_own(tmp_path: Path) -> None:
    (one,) = read_verdicts(write(tmp_path / "v.jsonl", stream_id="a/1"))
    (same,) = read_verdicts(write(tmp_path / "v.jsonl", stream_id="a/1", verdict_id="v2"))
    (other,) = read_verdicts(write(tmp_path / "v.jsonl", stream_id="a/2"))
    assert one.source("review") == same.source("review") != other.source("review")
    assert one.source("review").startswith("review.")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("verdict", "yes", "verdict"),
        ("frames", ["../secret.jpg"], "is not beside this file"),
        ("frames", ["/etc/x.jpg"], "is not beside this file"),
        ("decided_at", "noon", "decided_at"),
    ],
)
def test_a_verdict_that_is_wrong_is_told_by_line_and_field(
    tmp_path: Path, field: str, value: object, told: str
) -> None:
    path = write(tmp_path / "v.jsonl", **{field: value})
    with pytest.raises(LearningFailed, match=rf"v.jsonl, line 1: .*{told}"):
        read_verdicts(path)
