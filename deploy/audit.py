"""``python -m deploy.audit``: known vulnerabilities of what ``requirements.lock`` pins.

The advisories come from where pip-audit gets them. Where that can't be reached, or pip-audit can't
be installed, this says so and fails nothing: whoever has no network can still work.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

TOOL = "pip-audit==2.10.1"
ENVIRONMENT = Path("build/audit")
"""Of its own: what it needs is none of what it looks at."""
LOCK = Path("requirements.lock")
_SECONDS = 300.0
_TOLD = 300


def main() -> None:
    """Print what was found; exits with 1 if anything was."""
    try:
        report = audit()
    except NotAudited as error:
        print(f"dependencies were not audited: {error}", file=sys.stderr)
        return
    lines, skipped = findings(report)
    checked = len(report["dependencies"]) - skipped
    if checked == 0:
        print("dependencies were not audited: there are no advisories here", file=sys.stderr)
        return
    print(
        "\n".join([*lines, f"{checked} dependencies audited, {skipped} not, {len(lines)} findings"])
    )
    raise SystemExit(bool(lines))


class NotAudited(Exception):
    """There is no report; the message says why."""


def audit() -> dict[str, Any]:
    """What pip-audit tells. Raises ``NotAudited``."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    _run(python, "-m", "pip", "install", "--quiet", TOOL)
    told = _run(
        *(python, "-m", "pip_audit", "--requirement", LOCK, "--require-hashes"),
        *("--disable-pip", "--progress-spinner", "off", "--format", "json"),
    )
    try:
        report: dict[str, Any] = json.loads(told.stdout)
    except ValueError:
        raise NotAudited(_last_line(told.stderr)) from None
    return report


def findings(report: dict[str, Any]) -> tuple[list[str], int]:
    """A line for each vulnerability, and how many dependencies could not be looked up."""
    lines, skipped = [], 0
    for found in report["dependencies"]:
        skipped += "skip_reason" in found
        for vulnerability in found.get("vulns", ()):
            mended = ", ".join(vulnerability["fix_versions"]) or "none"
            name = f"{found['name']} {found['version']}"
            lines.append(f"{name}: {vulnerability['id']}, mended in {mended}")
    return lines, skipped


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Raises ``NotAudited``; pip-audit exits with 1 where it found something."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(  # noqa: S603  # words of this file
            words, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAudited(f"{words[2]}: {type(error).__name__}") from None
    if done.returncode and not done.stdout:
        raise NotAudited(_last_line(done.stderr))
    return done


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no reason")[:_TOLD]


if __name__ == "__main__":
    main()
