"""Ids that follow from what they name, so that a replay issues the same ones (UUIDv5, RFC 9562)."""

from __future__ import annotations

from uuid import UUID, uuid5

_NAMESPACE = UUID("6f1d2c1e-5d0e-5b0c-9b5a-0b8e6f3f6a51")


def derive_id(kind: str, *parts: str | int) -> str:
    """The id of the ``kind`` that ``parts`` cause.

    Parts are joined by the unit separator, which no id or topic name contains, so that different
    parts can't run together into the same name.
    """
    return str(uuid5(_NAMESPACE, "\x1f".join((kind, *map(str, parts)))))
