"""The published Avro schemas, present and earlier, looked up by name or by fingerprint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import fastavro.schema

_LOGICAL_TYPE = "logicalType"


@dataclass(frozen=True, slots=True)
class Schema:
    """One version of one event's schema.

    ``raw`` is the published JSON. ``parsed`` is the same for fastavro without logical types, so
    that times are read and written as integers; it describes the same bytes. ``fingerprint`` is
    the CRC-64-AVRO of the parsing canonical form, 8 bytes little-endian, as the Avro 1.11
    specification frames single objects.
    """

    name: str
    raw: dict[str, Any]
    parsed: dict[str, Any]
    fingerprint: bytes

    @classmethod
    def load(cls, name: str, text: str) -> Schema:
        raw = json.loads(text)
        canonical = fastavro.schema.to_parsing_canonical_form(raw)
        # fastavro prints the fingerprint in the byte order of the single-object header.
        fingerprint = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
        parsed: Any = fastavro.schema.parse_schema(_without_logical_types(raw))
        return cls(name=name, raw=raw, parsed=parsed, fingerprint=fingerprint)


def _without_logical_types(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _without_logical_types(v) for k, v in node.items() if k != _LOGICAL_TYPE}
    if isinstance(node, list):
        return [_without_logical_types(item) for item in node]
    return node


def _avro_files() -> Traversable:
    return files(__package__).joinpath("avro")


@cache
def current(name: str) -> Schema:
    """The schema that writers of the event ``name`` use today.

    Raises ``KeyError`` for a name that is not an event.
    """
    file = _avro_files().joinpath(f"{name}.avsc")
    if not file.is_file():
        raise KeyError(name)
    return Schema.load(name, file.read_text())


@cache
def earlier(name: str) -> tuple[Schema, ...]:
    """All published versions of the event ``name``, oldest first, today's included."""
    versions = {
        int(file.name.split(".")[1]): file
        for file in _avro_files().joinpath("earlier").iterdir()
        if file.name.split(".")[0] == name
    }
    return tuple(Schema.load(name, versions[number].read_text()) for number in sorted(versions))


@cache
def by_fingerprint(names: tuple[str, ...]) -> dict[bytes, Schema]:
    """Every version of the events ``names``, by fingerprint."""
    return {
        schema.fingerprint: schema for name in names for schema in (*earlier(name), current(name))
    }
