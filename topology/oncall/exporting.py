"""An incident as a zip archive: the folder that ``firebreak incident export`` writes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from agents.oncall.ports import Exported, Unknown
from schemas import Codec

from ..incident.chain import MANIFEST, chained
from ..incident.evidence import cited
from ..incident.export import files_of_incident
from ..incident.folder import manifest_file
from ..incident.log import TopicLog
from ..incident.reading import IncidentReader, IncidentUnknown, read_id
from .readings import Readings

_SECONDS = 120.0
_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The earliest time that the format has: the same records give the same archive."""
_OWNER_ONLY = 0o600 << 16


class KafkaExporter:
    """An ``ExportIncident``. ``config`` is librdkafka's."""

    def __init__(self, config: Mapping[str, Any], codec: Codec, readings: Readings) -> None:
        self._config = config
        self._codec = codec
        self._readings = readings

    async def __call__(self, incident_id: str) -> Exported:
        try:
            return await self._readings.run(lambda: self._export(incident_id), _SECONDS)
        except IncidentUnknown as error:
            raise Unknown(str(error)) from error

    def _export(self, incident_id: str) -> Exported:
        wanted_id = read_id(incident_id)
        with closing(TopicLog(self._config)) as log:
            reader = IncidentReader(log, self._codec)
            record = reader.incident(wanted_id)
            wanted = cited(record)
            found = reader.frames(wanted, record.sessions)
        _, files = files_of_incident(record, wanted, found)
        return Exported(_archive(wanted_id, files), record.sessions[0][0])


def _archive(incident_id: str, files: Mapping[str, bytes]) -> bytes:
    manifest = manifest_file(chained(incident_id, files))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in {**files, MANIFEST: manifest}.items():
            entry = zipfile.ZipInfo(f"incident-{incident_id}/{name}", _BEGINNING)
            entry.external_attr = _OWNER_ONLY
            zipped.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return archive.getvalue()
