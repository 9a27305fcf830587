"""Kafka headers of every event: CloudEvents 1.0 (Kafka binding, binary mode) and W3C Trace Context.

The trace continues from the event that caused this one, and span ids follow from event ids, so
that a replay writes the same headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from .base import MICROSECONDS

HeaderList = list[tuple[str, bytes]]
ReadHeaders = Iterable[tuple[str, bytes | None]] | Mapping[str, bytes | None] | None
"""Headers as clients hand them out."""
CONTENT_TYPE = "application/avro"
ATTEMPT = "firebreak-attempt"
"""The header of a record that was redriven: the how-manieth time it is tried."""
_DIGITS = 6

# https://www.w3.org/TR/trace-context/#traceparent-header, version 00; all-zero ids are invalid.
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """The CloudEvents attributes of one event. ``time`` is microseconds since the epoch, UTC."""

    id: str
    type: str
    source: str
    subject: str
    time: int


def write_headers(event: CloudEvent, cause_traceparent: str | None) -> HeaderList:
    """Headers of ``event``; a trace starts here where ``cause_traceparent`` is none or invalid."""
    span = sha256(event.id.encode()).hexdigest()
    match = _TRACEPARENT.fullmatch(cause_traceparent or "")
    trace = match.group(1) if match else span[16:48]
    when = datetime.fromtimestamp(event.time / MICROSECONDS, UTC).isoformat(timespec="microseconds")
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event.id,
        "ce_type": event.type,
        "ce_source": event.source,
        "ce_subject": event.subject,
        "ce_time": when.replace("+00:00", "Z"),
        "content-type": CONTENT_TYPE,
        "traceparent": f"00-{trace}-{span[:16]}-01",
    }
    return [(name, value.encode()) for name, value in attributes.items()]


def read_header(headers: ReadHeaders, name: str) -> str | None:
    """The first header ``name`` of a record that has a value, as text; ``None`` without one."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    for found, value in pairs:
        if found == name and value is not None:
            return bytes(value).decode("utf-8", "replace")
    return None


def read_attempt(headers: ReadHeaders) -> int:
    """The how-manieth time a record is tried: 1 unless it was redriven."""
    found = read_header(headers, ATTEMPT) or ""
    return int(found) if found.isascii() and found.isdigit() and len(found) <= _DIGITS else 1


def read_traceparent(headers: ReadHeaders) -> str | None:
    """The ``traceparent`` among a record's headers, or ``None`` if there is none."""
    return read_header(headers, "traceparent")
