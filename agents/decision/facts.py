"""What is known of a stream beside its frames. Pure."""

from __future__ import annotations

from msgspec import Struct


class Facts(Struct, frozen=True):
    """What is not known has its default, and no condition on it holds."""

    viewers: int = -1
    category: str = ""
    region: str = ""
    """ISO 3166-1 alpha-2 code."""
    account_id: str = ""
    account_age_days: int = -1
    previous_streams: int = -1
    """How many streams the account has had before; 0 for a first one."""
    reports: int = 0
    """How many viewers reported the session."""
