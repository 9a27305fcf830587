"""Mends to Faust 0.15.3, without which events are lost when workers come and go, and groups stand
still once brokers were silent.

1. *Seek, then resume* (faust-streaming #596; robinhood #625). ``Recovery`` makes the source
   partitions fetchable and seeks to the committed offsets afterwards. A batch fetched in between
   is taken for a hole in the log once the seek has moved the read offset back, and the hole is
   committed. Here partitions stay paused until the seek is done.
2. *Handing over takes as long as it takes.* ``Recovery`` gives the seek, before which partitions
   are handed over here, ``broker_request_timeout``, and takes it for an order to stop when that is
   over (mode's ``wait_first`` says ``stopped`` where it timed out): its task ends, and the worker,
   still a member of its group, never takes a partition again. So it was once brokers had not
   answered for half a minute. Here what they answer late is waited for, until the next rebalance;
   what waits in vain ends itself (``ProcessUnfit``).

Others are in ``topology.runs``, which fetches and commits for itself.

The module is written for one version and says so at import. Remove it when upstream has the mends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import faust
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
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

    @property
    def awaits_seek(self) -> bool:
        """Whether partitions wait for a seek, to be fetched from after that."""
        return bool(self._resume_after_seek)

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
        await super().perform_seek()
        sought, self._resume_after_seek = self._resume_after_seek, set()
        super().resume_partitions(sought)


class MendedTransport(driver.Transport):
    """Faust's transport with the mended consumer."""

    Consumer: ClassVar[type[MendedConsumer]] = MendedConsumer


class MendedRecovery(Recovery):
    """What takes partitions over, with the mend."""

    async def _wait(self, coro: Any, timeout: Any = None) -> None:  # noqa: ASYNC109
        await super()._wait(coro)


class MendedTables(TableManager):
    """Faust's tables, of which there need be none, with the mended recovery."""

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = MendedRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class MendedApp(faust.App):
    """A Faust app on the mended transport, with the mended recovery."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, TableManager=MendedTables, **kwargs)

    def _new_transport(self) -> MendedTransport:
        return MendedTransport(self.conf.broker_consumer, self)
