"""The published schemas: they agree with the records, and no change breaks anybody."""

from __future__ import annotations

import copy
import json
from typing import Any, get_args, get_origin, get_type_hints

import avro.schema
import msgspec
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from schemas import EVENT_TYPES, library, topics

_AVRO_TYPES: dict[type, tuple[str, ...]] = {
    str: ("string",),
    bytes: ("bytes",),
    bool: ("boolean",),
    int: ("int", "long"),
    float: ("float", "double"),
}


def can_read(reader: dict[str, Any], writer: dict[str, Any]) -> bool:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    result = checker.get_compatibility(
        reader=avro.schema.parse(json.dumps(reader)), writer=avro.schema.parse(json.dumps(writer))
    )
    return result.compatibility is SchemaCompatibilityType.compatible


def fully_compatible(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return can_read(one, other) and can_read(other, one)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_schema_reads_and_is_read_by_all_versions_ever_published(name: str) -> None:
    """FULL_TRANSITIVE."""
    assert library.earlier(name)
    for version in library.earlier(name):
        assert fully_compatible(library.current(name).raw, version.raw)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_todays_schema_is_kept_among_the_published_versions(name: str) -> None:
    """A changed schema is published as a new file under earlier/, and the old one stays."""
    assert library.current(name).raw == library.earlier(name)[-1].raw


def _field_added_without_default(schema: dict[str, Any]) -> None:
    schema["fields"].append({"name": "added", "type": "string"})


def _field_with_default_added(schema: dict[str, Any]) -> None:
    schema["fields"].append({"name": "added", "type": "string", "default": ""})


def _field_removed(schema: dict[str, Any]) -> None:
    del schema["fields"][0]


def _type_changed(schema: dict[str, Any]) -> None:
    schema["fields"][0]["type"] = "long"


def _type_widened(schema: dict[str, Any]) -> None:
    width = next(field for field in schema["fields"] if field["name"] == "width")
    width["type"] = "long"


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        (_field_with_default_added, True),
        (_field_added_without_default, False),
        (_field_removed, False),
        (_type_changed, False),
        (_type_widened, False),
    ],
)
def test_the_check_tells_a_breaking_change_from_a_harmless_one(change: Any, allowed: bool) -> None:
    before = library.current("FrameSampled").raw
    after = copy.deepcopy(before)
    change(after)
    assert fully_compatible(after, before) is allowed


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_records_and_schemas_agree_field_for_field(name: str) -> None:
    _assert_agree(library.current(name).parsed, EVENT_TYPES[name], {})


def _assert_agree(schema: Any, record: type[msgspec.Struct], named: dict[str, Any]) -> None:
    if isinstance(schema, str):
        schema = named[schema]
    named[schema["name"]] = schema
    assert schema["name"].rsplit(".")[-1] == record.__name__
    hints = get_type_hints(record)
    fields = msgspec.structs.fields(record)
    assert [field["name"] for field in schema["fields"]] == [field.name for field in fields]
    for avro_field, field in zip(schema["fields"], fields, strict=True):
        _assert_type(avro_field["type"], hints[field.name], named)
        assert avro_field.get("default", msgspec.NODEFAULT) == _default(field)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made_anew = field.default_factory
    return field.default if made_anew is msgspec.NODEFAULT else made_anew()


def _assert_type(schema: Any, hint: Any, named: dict[str, Any]) -> None:
    if get_origin(hint) is list:
        assert schema["type"] == "array"
        _assert_type(schema["items"], get_args(hint)[0], named)
    elif issubclass(hint, msgspec.Struct):
        _assert_agree(schema, hint, named)
    else:
        plain = schema["type"] if isinstance(schema, dict) else schema
        assert plain in _AVRO_TYPES[hint]


def test_every_event_has_a_topic_of_its_own() -> None:
    assert topics.TOPIC_OF.keys() == EVENT_TYPES.keys()
    assert len(set(topics.TOPIC_OF.values())) == len(topics.TOPIC_OF)
