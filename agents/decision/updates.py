"""What news of a stream changes in what is remembered of it. Pure."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas import StreamUpdated

from .session import Session

_VIEWERS_STEP = 0.25
"""Viewers are remembered to within this share: each change is written down."""
_KNOWN = ("category", "region", "account_id")
_COUNTED = ("account_age_days", "previous_streams")


def learn(session: Session, update: StreamUpdated, now: int) -> Session:
    """``session`` with what ``update`` says; what it does not know stays as it was."""
    facts = session.facts
    news: dict[str, Any] = {name: told for name in _KNOWN if (told := getattr(update, name))}
    news |= {name: told for name in _COUNTED if (told := getattr(update, name)) >= 0}
    if _is_news(facts.viewers, update.viewers):
        news["viewers"] = update.viewers
    if update.change == "reported":
        news["reports"] = facts.reports + 1
    ended_at = session.ended_at or (now if update.change == "ended" else 0)
    started_at = session.started_at or (0 if ended_at else update.updated_at)
    return replace(session, facts=replace(facts, **news), ended_at=ended_at, started_at=started_at)


def _is_news(known: int, told: int) -> bool:
    return told >= 0 and (known < 0 or abs(told - known) > _VIEWERS_STEP * known)
