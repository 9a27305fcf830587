"""Bounds on what comes from outside: memory and pages must not grow with what somebody sends.

Ids of streams, sessions and accounts are the platform's, reasons are people's, and no schema says
how long they are.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TypeVar

import msgspec

from schemas import Event

E = TypeVar("E", bound=Event)

ID_CHARACTERS = 200
TEXT_CHARACTERS = 1_000
_KEPT_OF_ID = 160
_DIGEST = 16


def bounded_id(name: str) -> str:
    """``name``, or its beginning and a digest of it where it is too long: others stay others."""
    if len(name) <= ID_CHARACTERS:
        return name
    return f"{name[:_KEPT_OF_ID]}…{sha256(name.encode()).hexdigest()[:_DIGEST]}"


def bounded_text(text: str) -> str:
    """``text``, cut off where it is too long."""
    return text if len(text) <= TEXT_CHARACTERS else f"{text[:TEXT_CHARACTERS]}…"


def bounded(event: E) -> E:
    """``event`` with each of its own texts bounded; those within its lists are not looked at."""
    changed = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, str) and len(value) > ID_CHARACTERS:
            is_id = name.endswith("_id")
            changed[name] = bounded_id(value) if is_id else bounded_text(value)
    return msgspec.structs.replace(event, **changed) if changed else event
