"""Records of detections: Avro container files, and the detections topic itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import fastavro
import fastavro.read
import fastavro.schema
import msgspec

from schemas import Codec, DetectionsMade, EventUnreadable, library, topics

from ..errors import OperatorError
from ..incident.log import TopicLog
from .replay import Batch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RecordInvalid(OperatorError):
    """A file is no record of detections: the message names it and says why."""


def read_record(path: Path) -> Iterator[Batch]:
    """The batches of an Avro object container file of ``DetectionsMade`` of any version, in order.

    Raises ``RecordInvalid``.
    """
    today = library.current("DetectionsMade").parsed
    try:
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            if _is_as_written(reader.writer_schema, today):
                yield from cast(Iterator[Batch], reader)
                return
            # Fields that came later get their defaults, and times are numbers. It takes longer.
            file.seek(0)
            for batch in cast(Iterator[Batch], fastavro.reader(file, reader_schema=today)):
                rows = [
                    {name: _number(it) for name, it in row.items()} for row in batch["detections"]
                ]
                yield {**batch, "detections": rows}
    except fastavro.read.SchemaResolutionError as error:
        raise RecordInvalid(f"{path}: no record of detections: {error}") from error
    # A file that is damaged or no such file reaches any of fastavro's errors.
    except (OSError, ValueError, EOFError, KeyError, IndexError, TypeError) as error:
        raise RecordInvalid(f"{path}: {error or type(error).__name__}") from error


def _is_as_written(writer: Any, today: dict[str, Any]) -> bool:
    """Whether a file can be read as it is: its schema is today's, and its times are numbers."""
    canonical = fastavro.schema.to_parsing_canonical_form
    return canonical(writer) == canonical(today) and "logicalType" not in json.dumps(writer)


def _number(value: Any) -> Any:
    """``value``; a time, which a file may say is one, in microseconds since the epoch."""
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    return value


def read_topic(config: Mapping[str, Any], codec: Codec) -> list[Batch]:
    """The batches that lie in the detections topic, in the order of their newest frames.

    ``config`` is librdkafka's. Raises ``RecordsUnreadable``; what is no ``DetectionsMade`` was
    dead-lettered when it came and is passed over.
    """
    found: list[tuple[tuple[int, int, int], Batch]] = []
    log = TopicLog(config)
    try:
        for message in log.read([topics.DETECTIONS]):
            try:
                batch = codec.decode(message.value(), DetectionsMade)
            except EventUnreadable:
                continue
            newest = max((it.appended_at for it in batch.detections), default=0)
            place = (newest, message.partition() or 0, message.offset() or 0)
            found.append((place, msgspec.to_builtins(batch)))
    finally:
        log.close()
    return [batch for _, batch in sorted(found, key=lambda each: each[0])]


def write_record(path: Path, batches: Iterable[Batch]) -> None:
    """Write ``batches`` so that ``read_record`` gives them; the same batches give the same bytes.

    Raises ``RecordInvalid`` where the file can't be written.
    """
    schema = library.current("DetectionsMade").parsed
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            # The sync marker is random otherwise.
            fastavro.writer(file, schema, batches, codec="deflate", sync_marker=bytes(16))
        unfinished.replace(path)
    except OSError as error:
        raise RecordInvalid(f"{path}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
