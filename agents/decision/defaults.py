"""The policy that comes with Firebreak. Not pure: it lies in a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from .policy import Policy
from .policy_file import parse_policy

DEFAULT_POLICY_FILE = Path(__file__).parent / "policies" / "default.toml"


@cache
def default_policy() -> Policy:
    return parse_policy(DEFAULT_POLICY_FILE.read_text(encoding="utf-8"))
