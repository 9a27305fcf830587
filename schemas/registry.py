"""A Confluent-compatible schema registry. Needs ``firebreak-schemas[registry]``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from . import topics
from .codec import SchemaUnknown
from .library import Schema


class SchemaRegistry:
    """Registers under ``<topic>-value`` (Confluent's TopicNameStrategy) and remembers answers.

    ``settings`` are those of confluent-kafka's client, ``url`` among them. Calls block until the
    registry answers, once a schema; a worker makes them at start-up, where blocking is right.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._client = SchemaRegistryClient.new_client(dict(settings))
        self._parsed: dict[int, dict[str, Any]] = {}

    def id_of(self, schema: Schema) -> int:
        subject = f"{topics.TOPIC_OF[schema.name]}-value"
        document = RegistrySchema(json.dumps(schema.raw), "AVRO")
        return int(self._client.register_schema(subject, document))

    def schema_of(self, schema_id: int) -> dict[str, Any]:
        parsed = self._parsed.get(schema_id)
        if parsed is None:
            parsed = self._parsed[schema_id] = self._fetch(schema_id)
        return parsed

    def _fetch(self, schema_id: int) -> dict[str, Any]:
        try:
            document = self._client.get_schema(schema_id)
        except SchemaRegistryError as error:
            raise SchemaUnknown(f"schema id {schema_id}: {error.error_message}") from error
        if document.schema_str is None or document.schema_type not in (None, "AVRO"):
            raise SchemaUnknown(f"schema id {schema_id} is not an Avro schema")
        return Schema.load(str(schema_id), document.schema_str).parsed
