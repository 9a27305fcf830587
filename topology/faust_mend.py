"""Mends to Faust 0.15.3's consumer, without which events are lost when workers come and go.

1. *Seek, then resume* (faust-streaming #596; robinhood #625). ``Recovery`` makes the source
   partitions fetchable and seeks to the committed offsets afterwards. A batch fetched in between
   is taken for a hole in the log once the seek has moved the read offset back, and the hole is
   committed. Here partitions stay paused until the seek is done.
2. *A seek that was given up is made up for.* ``Recovery._wait`` returns after its time-out as if
   all had gone well: the brokers did not answer in 30 seconds, as where the one that kept the
   group's offsets has died, and the worker goes on without having sought. Here the partitions that
   wait for their seek get it as soon as records are asked for.

Others are in ``topology.runs``, which fetches and commits for itself.

The module is written for one version and says so at import. Remove it when upstream has the mends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

FAUST_VERSION = "0.15.3"

if faust.__version__ != FAUST_VERSION:
    raise ImportError(
        f"topology.faust_mend is for faust-streaming {FAUST_VERSION}, found {faust.__version__}: "
        "check whether each mend is still needed"
    )


class MendedConsumer(driver.Consumer):
    """Faust's consumer with the mends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._resume_after_seek: set[TP] = set()
        self._seeks = 0
        """That are being made."""

    @property
    def awaits_seek(self) -> bool:
        """Whether partitions wait for a seek, made or still to be made, to be fetched from."""
        return bool(self._resume_after_seek)

    @property
    def seek_given_up(self) -> bool:
        """Whether partitions wait for a seek that nobody makes, though records may be fetched."""
        return self.awaits_seek and self._seeks == 0 and self.flow_active

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Resume changelogs at once; source partitions when ``perform_seek`` is done."""
        wanted = set(tps)
        sources = {tp for tp in wanted if not self._is_changelog_tp(tp)}
        self._resume_after_seek |= sources
        super().resume_partitions(wanted - sources)

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        paused = set(tps)
        self._resume_after_seek -= paused
        super().pause_partitions(paused)

    async def perform_seek(self) -> None:
        self._seeks += 1
        try:
            await super().perform_seek()
        finally:
            self._seeks -= 1
        sought, self._resume_after_seek = self._resume_after_seek, set()
        super().resume_partitions(sought)


class MendedTransport(driver.Transport):
    """Faust's transport with the mended consumer."""

    Consumer: ClassVar[type[MendedConsumer]] = MendedConsumer


class MendedApp(faust.App):
    """A Faust app on the mended transport."""

    def _new_transport(self) -> MendedTransport:
        return MendedTransport(self.conf.broker_consumer, self)
