"""Types of what is asked for in more than one place."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..bounds import ID_CHARACTERS

Handle = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{16}$",
        max_length=16,
        description="Names a stream: the first 16 hexadecimal digits of the SHA-256 of its id.",
    ),
]
OrderId = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        max_length=36,
        description="A random UUID (version 4), in lower case.",
    ),
]
IncidentId = Annotated[str, Meta(min_length=1, max_length=ID_CHARACTERS)]
Severity = Literal["critical", "high", "elevated"]
Page = Annotated[
    int,
    Meta(ge=1, le=1_000_000, description="Counts from 1; behind the last, the last is told."),
]
Microseconds = Annotated[
    int, Meta(ge=0, le=2**53, description="Microseconds since the Unix epoch, UTC.")
]


class OfStream(msgspec.Struct, frozen=True):
    """One stream."""

    handle: Handle


class OfSession(msgspec.Struct, frozen=True):
    """One session of a stream: the newest, or that of one of its incidents."""

    handle: Handle
    incident_id: (
        Annotated[
            IncidentId,
            Meta(description="Of which of its incidents; without it, the newest session is told."),
        ]
        | UnsetType
    ) = UNSET


class OfIncident(msgspec.Struct, frozen=True):
    """One incident."""

    incident_id: IncidentId
