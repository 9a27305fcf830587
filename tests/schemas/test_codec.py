"""Records to bytes and back, in both framings."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import EVENT_TYPES, Codec, EventUnreadable, FrameSampled, SchemaUnknown, library
from schemas.registry import SchemaRegistry
from tests.builders import frame_sampled

LONGS = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize("name", EVENT_TYPES)
@given(data=st.data())
def test_every_event_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    codec = Codec()
    event = data.draw(_strategy(EVENT_TYPES[name]))
    assert codec.decode(codec.encode(event), type(event)) == event


def _strategy(event_type: type[Any]) -> st.SearchStrategy[Any]:
    """Any record that its own schema can hold."""
    schema = library.current(event_type.__name__).parsed
    return _of(schema).map(lambda datum: _convert(datum, event_type))


def _convert(datum: Any, event_type: type[Any]) -> Any:
    return msgspec.convert(datum, event_type, builtin_types=(bytes,))


def _of(schema: Any) -> st.SearchStrategy[Any]:
    if isinstance(schema, dict) and schema["type"] == "record":
        _NAMED[schema["name"]] = schema
        fields = {field["name"]: _of(field["type"]) for field in schema["fields"]}
        return st.fixed_dictionaries(fields)
    if isinstance(schema, dict) and schema["type"] == "array":
        return st.lists(_of(schema["items"]), max_size=3)
    if isinstance(schema, dict):
        return _of(schema["type"])
    if schema in _NAMED:
        return _of(_NAMED[schema])
    return {
        "string": st.text(max_size=8),
        "bytes": st.binary(max_size=8),
        "boolean": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": LONGS,
        "float": st.floats(width=32, allow_nan=False),
        "double": st.floats(allow_nan=False),
    }[schema]


_NAMED: dict[str, Any] = {}


def test_a_single_object_starts_with_the_magic_and_the_fingerprint_of_its_schema() -> None:
    value = Codec().encode(frame_sampled())
    assert value[:2] == b"\xc3\x01"
    assert value[2:10] == library.current("FrameSampled").fingerprint


def test_fingerprints_are_those_of_the_avro_specification() -> None:
    """The value for the schema "int" is 0x7275d51a3f395c8f, written little-endian."""
    schema = library.Schema.load("int", '{"type": "record", "name": "R", "fields": []}')
    assert len(schema.fingerprint) == 8
    known = fastavro.schema.fingerprint('"int"', "CRC-64-AVRO")
    assert int.from_bytes(bytes.fromhex(known), "little") == 0x7275D51A3F395C8F


def test_a_reader_without_this_package_reads_a_value_with_the_published_schema_alone() -> None:
    event = frame_sampled(payload=b"\x00\xff")
    published = fastavro.parse_schema(library.current("FrameSampled").raw)
    datum = fastavro.schemaless_reader(io.BytesIO(Codec().encode(event)[10:]), published, None)
    assert isinstance(datum, dict)
    assert datum["stream_id"] == event.stream_id
    assert datum["payload"] == event.payload


def test_with_a_registry_values_carry_the_schema_id_and_both_framings_are_read() -> None:
    registered = Codec(SchemaRegistry({"url": "mock://both-framings"}))
    event = frame_sampled()
    confluent, single_object = registered.encode(event), Codec().encode(event)
    assert confluent[0] == 0
    assert confluent[5:] == single_object[10:]
    assert registered.decode(confluent, FrameSampled) == event
    assert registered.decode(single_object, FrameSampled) == event


def test_an_id_that_the_registry_does_not_know_is_an_unknown_schema() -> None:
    codec = Codec(SchemaRegistry({"url": "mock://unknown-id"}))
    with pytest.raises(SchemaUnknown):
        codec.decode(b"\x00\x00\x00\x00\x63" + b"datum", FrameSampled)


def test_the_schema_of_another_event_is_refused_by_name() -> None:
    with pytest.raises(EventUnreadable, match=r"expected firebreak\.DetectionsMade"):
        Codec().decode(Codec().encode(frame_sampled()), EVENT_TYPES["DetectionsMade"])


@pytest.mark.parametrize(
    ("value", "error"),
    [
        pytest.param(None, EventUnreadable, id="no value"),
        pytest.param(b"", EventUnreadable, id="empty"),
        pytest.param(b"\x7f", EventUnreadable, id="unknown framing"),
        pytest.param(b"\x00\x00", EventUnreadable, id="cut within the schema id"),
        pytest.param(b"\x00\x00\x00\x00\x01x", SchemaUnknown, id="id without a registry"),
        pytest.param(b"\xc3\x01\x00\x00", SchemaUnknown, id="cut within the fingerprint"),
        pytest.param(b"\xc3\x01" + b"\x11" * 8, SchemaUnknown, id="unknown fingerprint"),
    ],
)
def test_what_is_not_an_event_is_refused(value: bytes | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        Codec().decode(value, FrameSampled)


def test_every_truncation_is_refused() -> None:
    value = Codec().encode(frame_sampled())
    for length in range(len(value)):
        with pytest.raises(EventUnreadable):
            Codec().decode(value[:length], FrameSampled)


def test_bytes_after_the_datum_are_refused() -> None:
    with pytest.raises(EventUnreadable, match="1 bytes after"):
        Codec().decode(Codec().encode(frame_sampled()) + b"\x00", FrameSampled)


@given(noise=st.binary(max_size=200))
def test_noise_behind_a_valid_header_never_raises_anything_else(noise: bytes) -> None:
    codec = Codec()
    header = codec.encode(frame_sampled())[:10]
    with suppress(EventUnreadable):
        codec.decode(header + noise, FrameSampled)
