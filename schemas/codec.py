"""Records to bytes and back.

Two framings, and every reader takes both:

* Avro single-object encoding (Avro 1.11 specification, "Single-object encoding"): ``C3 01``, the
  8-byte fingerprint of the writer's schema, the datum. Needs no registry; the writer's schema is
  one that this package carries.
* Confluent wire format: ``00``, the writer's schema id (4 bytes, big-endian), the datum. Used for
  writing once a schema registry is configured.
"""

from __future__ import annotations

import io
from typing import Any, Protocol, TypeVar

import fastavro
import msgspec

from . import library
from .library import Schema
from .records import EVENT_TYPES, Event

SINGLE_OBJECT_MAGIC = b"\xc3\x01"
CONFLUENT_MAGIC = b"\x00"
_FINGERPRINT_END = 10
_SCHEMA_ID_END = 5

E = TypeVar("E", bound=Event)


class EventUnreadable(Exception):
    """The bytes are not a readable event: whoever produced them must act."""


class SchemaUnknown(EventUnreadable):
    """The bytes name a writer's schema that neither this package nor the registry knows."""


class Registry(Protocol):
    """What the codec needs of a schema registry."""

    def id_of(self, schema: Schema) -> int:
        """The id of ``schema``, registered if need be."""
        ...

    def schema_of(self, schema_id: int) -> dict[str, Any]:
        """The parsed writer's schema under ``schema_id``; ``SchemaUnknown`` if there is none."""
        ...


class Codec:
    """Encodes with today's schemas and decodes any published version in either framing."""

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry
        self._known = library.by_fingerprint(tuple(EVENT_TYPES))
        self._prefixes: dict[str, bytes] = {}

    def encode(self, event: Event) -> bytes:
        """``event`` as framed Avro."""
        name = type(event).__name__
        schema = library.current(name)
        prefix = self._prefixes.get(name)
        if prefix is None:
            prefix = self._prefixes[name] = self._prefix(schema)
        buffer = io.BytesIO()
        buffer.write(prefix)
        datum = msgspec.to_builtins(event, builtin_types=(bytes,))
        fastavro.schemaless_writer(buffer, schema.parsed, datum)
        return buffer.getvalue()

    def decode(self, value: bytes | None, expected: type[E]) -> E:
        """The event in ``value``, which must be an ``expected``.

        Raises ``SchemaUnknown`` where the writer's schema is not known and ``EventUnreadable``
        for anything else that is wrong with the bytes.
        """
        if not value:
            raise EventUnreadable("empty value")
        if value.startswith(SINGLE_OBJECT_MAGIC):
            writer, start = self._single_object_schema(value), _FINGERPRINT_END
        elif value.startswith(CONFLUENT_MAGIC):
            writer, start = self._confluent_schema(value), _SCHEMA_ID_END
        else:
            raise EventUnreadable(f"unknown framing, first bytes {value[:2].hex()}")
        reader = library.current(expected.__name__).parsed
        if writer["name"] != reader["name"]:
            raise EventUnreadable(f"expected {reader['name']}, found {writer['name']}")
        buffer = io.BytesIO(value)
        buffer.seek(start)
        try:
            datum = fastavro.schemaless_reader(buffer, writer, reader)
            event = msgspec.convert(datum, expected, builtin_types=(bytes,))
        # A hostile datum reaches any of fastavro's errors; all of them mean the same to a caller.
        except Exception as error:
            raise EventUnreadable(
                f"{expected.__name__}: {type(error).__name__}: {error}"
            ) from error
        if trailing := len(value) - buffer.tell():
            raise EventUnreadable(f"{expected.__name__}: {trailing} bytes after the datum")
        return event

    def _prefix(self, schema: Schema) -> bytes:
        if self._registry is None:
            return SINGLE_OBJECT_MAGIC + schema.fingerprint
        return CONFLUENT_MAGIC + self._registry.id_of(schema).to_bytes(4, "big")

    def _single_object_schema(self, value: bytes) -> dict[str, Any]:
        fingerprint = value[len(SINGLE_OBJECT_MAGIC) : _FINGERPRINT_END]
        schema = self._known.get(fingerprint)
        if schema is None:
            raise SchemaUnknown(f"no schema with fingerprint {fingerprint.hex()}")
        return schema.parsed

    def _confluent_schema(self, value: bytes) -> dict[str, Any]:
        if len(value) < _SCHEMA_ID_END:
            raise EventUnreadable("truncated before the schema id")
        schema_id = int.from_bytes(value[1:_SCHEMA_ID_END], "big")
        if self._registry is None:
            raise SchemaUnknown(f"schema id {schema_id}, and no schema registry is configured")
        return self._registry.schema_of(schema_id)
