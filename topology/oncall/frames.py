"""One frame by its coordinates, from Kafka, and its payload from where that lies."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from msgspec.structs import replace

from agents.detection.claims import FetchPayload, PayloadRefused
from agents.detection.origins import PayloadUnavailable
from agents.oncall.ports import Session, Unavailable
from schemas import Codec, FrameRef, FrameSampled

from ..incident.evidence import Cited
from ..incident.log import TopicLog
from ..incident.reading import IncidentReader
from .readings import Readings

_SECONDS = 15.0
_LEAN = {
    # One record is wanted: what the brokers send along with it is not kept waiting in memory.
    "queued.min.messages": 1,
    "queued.max.messages.kbytes": 8 * 1024,
}


class KafkaFrames:
    """A ``ReadFrame``. ``config`` is librdkafka's; ``fetch`` is for payloads that lie elsewhere."""

    def __init__(
        self,
        config: Mapping[str, Any],
        codec: Codec,
        fetch: FetchPayload | None,
        readings: Readings,
    ) -> None:
        self._config = {**config, **_LEAN}
        self._codec = codec
        self._fetch = fetch
        self._readings = readings

    async def __call__(self, ref: FrameRef, session: Session) -> FrameSampled:
        found = await self._readings.run(lambda: self._read(ref, session), _SECONDS)
        if isinstance(found, str):
            raise Unavailable(found)
        if not found.payload and found.payload_uri:
            return replace(found, payload=await self._payload(found.payload_uri))
        return found

    def _read(self, ref: FrameRef, session: Session) -> FrameSampled | str:
        wanted = Cited(ref, ())
        with closing(TopicLog(self._config)) as log:
            found = IncidentReader(log, self._codec).frames([wanted], [session])
        return found[wanted.coordinates]

    async def _payload(self, uri: str) -> bytes:
        """Raises ``Unavailable``."""
        if self._fetch is None:
            raise Unavailable(
                "its payload lies elsewhere, and no origins are allowed: FIREBREAK_PAYLOAD_ORIGINS"
            )
        try:
            return await self._fetch(uri)
        except (PayloadRefused, PayloadUnavailable) as error:
            raise Unavailable(f"its payload lies elsewhere: {error}") from error
