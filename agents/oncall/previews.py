"""What a record says that could not be processed, without what it says of people. Pure.

Numbers are shown, and those texts that are ours to choose. Other texts (ids of streams, sessions
and accounts, addresses) and payloads are told by their size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas import ATTEMPT, EVENT_TYPES, Codec, EventUnreadable, ReadHeaders, topics

_EVENT_OF = {topic: EVENT_TYPES[name] for name, topic in topics.TOPIC_OF.items()}
_HEADERS = frozenset(
    {"ce_specversion", "ce_type", "ce_source", "ce_time", "content-type", "traceparent", ATTEMPT}
)
"""``ce_subject`` is the stream, and ``ce_id`` may be made of it."""
_TEXTS = frozenset(
    {"codec", "change", "category", "region", "outcome", "command", "bundle", "bundle_digest"}
)
_SIZED = {str: "character", bytes: "byte", list: "item"}
_CHARACTERS = 100
_FIRST_BYTES = 64
_MOST = 40
"""Headers, fields."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it lies in Kafka."""

    headers: ReadHeaders
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Preview:
    """A record, to look at. Everything in it is bounded."""

    size: int
    """Bytes of its value."""
    headers: tuple[tuple[str, str], ...]
    event: str
    """What its topic carries."""
    fields: tuple[tuple[str, str], ...]
    """Of the event; empty where it can't be read."""
    unreadable: str
    """Why it can't be read."""
    first_bytes: str
    """As hexadecimal digits, where it can't be read."""


def preview(record: RawRecord, topic: str, codec: Codec) -> Preview:
    """What may be shown of ``record``, which lies in ``topic``."""
    value = record.value or b""
    headers, event_type = _headers(record), _EVENT_OF.get(topic)
    event = event_type.__name__ if event_type is not None else ""
    try:
        if event_type is None:
            raise EventUnreadable("the topic carries no event")
        found = codec.decode(record.value, event_type)
    except EventUnreadable as error:
        first = value[:_FIRST_BYTES].hex(" ", 4)
        return Preview(len(value), headers, event, (), _shown(str(error)), first)
    fields = tuple(
        (name, _told(name, getattr(found, name))) for name in found.__struct_fields__[:_MOST]
    )
    return Preview(len(value), headers, event, fields, "", "")


def _headers(record: RawRecord) -> tuple[tuple[str, str], ...]:
    headers = record.headers or ()
    pairs = list(headers.items() if hasattr(headers, "items") else headers)[:_MOST]
    return tuple(
        (
            _shown(name),
            _shown(bytes(value or b"").decode("utf-8", "replace"))
            if name in _HEADERS
            else _size(len(value or b""), "byte"),
        )
        for name, value in pairs
    )


def _told(name: str, value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, str) and name in _TEXTS:
        return _shown(value) or "empty"
    sized = next((what for kind, what in _SIZED.items() if isinstance(value, kind)), None)
    return type(value).__name__ if sized is None else _size(len(value), sized)


def _size(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def _shown(text: str) -> str:
    """``text`` as one line that is not too long."""
    told = "".join(c if c.isprintable() else "\ufffd" for c in text[:_CHARACTERS])
    return f"{told}…" if len(text) > _CHARACTERS else told
