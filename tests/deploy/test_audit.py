"""What pip-audit tells is told on, and what it could not look up is not called sound."""

from __future__ import annotations

from typing import Any

import pytest

from deploy import audit

SOUND = {"name": "sound", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}
AFFECTED = {
    "name": "affected",
    "version": "2.0",
    "vulns": [
        {"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"]},
        {"id": "PYSEC-2", "fix_versions": []},
    ],
}


def told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *found: dict[str, Any]
) -> tuple[bool, str]:
    """Whether it fails, and what it says."""
    monkeypatch.setattr(audit, "audit", lambda: {"dependencies": list(found)})
    try:
        audit.main()
        failed = False
    except SystemExit as end:
        failed = bool(end.code)
    output = capsys.readouterr()
    return failed, (output.out + output.err).strip()


def test_a_vulnerability_fails_and_says_where_it_is_mended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys, SOUND, AFFECTED, UNKNOWN) == (
        True,
        "affected 2.0: PYSEC-1, mended in 2.1, 3.0\n"
        "affected 2.0: PYSEC-2, mended in none\n"
        "2 dependencies audited, 1 not, 2 findings",
    )


def test_without_one_it_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys, SOUND) == (False, "1 dependencies audited, 0 not, 0 findings")


def test_where_nothing_could_be_looked_up_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys, UNKNOWN) == (
        False,
        "dependencies were not audited: there are no advisories here",
    )
