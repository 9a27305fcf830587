"""Builds what the pages of streams and incidents have their pictures and their past from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from mode import Service

from agents.decision.policies import Policies
from agents.oncall.sources import Sources
from agents.oncall.viewing import Viewing
from agents.publishing import Publisher
from schemas import Codec

from ..payloads import PayloadFetcher
from ..settings import Settings
from .decoding import PictureDecoder
from .exporting import KafkaExporter
from .frames import KafkaFrames
from .history import KafkaHistory
from .readings import Readings
from .rules import telling_rules

_FRAMES_AT_ONCE = 4
_PASTS_AT_ONCE = 2
_EXPORTS_AT_ONCE = 1


class EvidenceReading(Service):
    """``sources`` runs with the Faust app and ends with it. ``config`` is librdkafka's."""

    def __init__(
        self,
        settings: Settings,
        config: Mapping[str, Any],
        codec: Codec,
        *,
        partitions: int,
        publisher: Publisher,
        policies: Callable[[], Policies],
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self._decoder = PictureDecoder(settings)
        self._fetcher = PayloadFetcher(settings) if settings.payload_origins else None
        frames = KafkaFrames(config, codec, self._fetcher, Readings("frames", _FRAMES_AT_ONCE))
        self.sources = Sources(
            Viewing(
                frames, self._decoder, lambda: publisher, veiled_first=settings.evidence_veiled
            ),
            KafkaHistory(config, codec, partitions, Readings("history", _PASTS_AT_ONCE)),
            telling_rules(policies),
            KafkaExporter(config, codec, Readings("export", _EXPORTS_AT_ONCE)),
        )

    async def on_stop(self) -> None:
        """End what was begun for somebody who asked."""
        if self._fetcher is not None:
            await self._fetcher.on_stop()
        # It waits for processes.
        await asyncio.to_thread(self._decoder.close)
