"""Who looked at pictures of people, told before they saw them."""

from __future__ import annotations

from .base import Record


class EvidenceViewed(Record, frozen=True):
    """Somebody was about to be given evidence. It is told first: what can't be told is not given.

    So there may be one of a picture that was not seen after all, and none is missing.
    """

    ID = "view_id"
    TIME = "viewed_at"

    view_id: str
    operator: str
    """Pseudonym of who asked for it."""
    incident_id: str
    """Empty where nothing had been decided about the stream."""
    stream_id: str
    """Of an export, its incident's; empty where who gave it out did not say."""
    kind: str
    """``veiled`` (blurred and in greyscale), ``plain``, or ``export`` of an incident as files."""
    reason: str
    """Empty for a veiled picture, which asks for none."""
    viewed_at: int
    """The wall clock of who gave it out, microseconds since the epoch."""
    topic: str = ""
    """Of the frame; empty for an export, which has all of them."""
    partition: int = -1
    offset: int = -1

    @property
    def subject(self) -> str:
        return self.stream_id or self.incident_id
