"""Orders from the page: into Kafka while the person who gave one waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from mode import Service

from agents.oncall.giving import NotOrdered
from agents.publishing import PublishFailed, outgoing
from schemas import Codec, DrillOrdered, OperatorCommanded

from ..publisher import KafkaPublisher

SEND_SECONDS = 10.0
"""A person is told after this that nothing was ordered. The worker's own publisher tries for
minutes, and what it delivers after that would have been ordered behind the person's back."""
_SOURCE = "firebreak/oncall"


class Orders(Service):
    """Runs with the Faust app and ends with it. ``config`` is librdkafka's.

    Most workers never send an order: the producer is made with the first.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        codec: Codec,
        *,
        seconds: float = SEND_SECONDS,
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self._config = {**config, "message.timeout.ms": round(seconds * 1000)}
        self._codec = codec
        self._publisher: KafkaPublisher | None = None

    async def give(self, order: OperatorCommanded | DrillOrdered) -> None:
        """A ``GiveOrder``. Raises ``NotOrdered``."""
        if self._publisher is None:
            self._publisher = KafkaPublisher(self._config, self._codec, _SOURCE)
        try:
            await self._publisher.publish([outgoing(order, None)])
        except PublishFailed as error:
            raise NotOrdered(str(error)) from error

    async def on_stop(self) -> None:
        """Deliver what is queued, and end the producer."""
        if self._publisher is not None:
            publisher, self._publisher = self._publisher, None
            await asyncio.to_thread(publisher.close)
