"""Dead letters' records, for people who look at them and have them put back; off the event loop."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any, cast

from agents.oncall.graph import REDRIVEN_INTO
from agents.oncall.letters import MOST_ATTEMPTS, Letter
from agents.oncall.ports import Unavailable
from agents.oncall.previews import Preview, RawRecord, preview
from agents.oncall.redriving import MOST_AT_ONCE, NotPutBack, PutBack, RedriveOrder
from schemas import Codec, ReadHeaders

from ..incident.log import TopicLog
from ..redrive import Choice, NotRedriven, Redriven, redrive
from .readings import Readings

_RECORD_SECONDS = 15.0
_REDRIVE_SECONDS = 60.0
_LOOKED_AT_ONCE = 2
_LEAN = {
    # One record is wanted: what the brokers send along with it is not kept waiting in memory.
    "queued.min.messages": 1,
    "queued.max.messages.kbytes": 8 * 1024,
}


class KafkaDeadLetters:
    """A ``DeadLetterOffice``. ``config`` is librdkafka's.

    One order at a time: who begins another shuts out the one before (``topology.redrive``).
    """

    def __init__(self, config: Mapping[str, Any], codec: Codec) -> None:
        self._config = config
        self._codec = codec
        self._looking = Readings("dead-letters", _LOOKED_AT_ONCE)
        self._redriving = Readings("redrive", 1)

    async def preview(self, letter: Letter) -> Preview:
        found = await self._looking.run(lambda: self._read(letter), _RECORD_SECONDS)
        if found is None:
            raise Unavailable("Kafka does not keep the record any more")
        return preview(found, letter.event.topic, self._codec)

    async def put_back(self, order: RedriveOrder) -> PutBack:
        if len(order.letters) > MOST_AT_ONCE:
            raise NotPutBack(f"at most {MOST_AT_ONCE} at once")
        letters = [it for it in order.letters if it.event.topic in REDRIVEN_INTO]
        if not letters:
            return PutBack(redriven=0, gone=0, left=len(order.letters))
        choice = Choice(
            since=max(min(it.event.appended_at for it in letters), 0),
            most_attempts=MOST_ATTEMPTS,
            letters=frozenset(it.event.dead_letter_id for it in letters),
        )
        try:
            outcome = await self._redriving.run(
                lambda: self._redrive(order, choice), _REDRIVE_SECONDS
            )
        except (Unavailable, NotRedriven) as error:
            raise NotPutBack(str(error)) from error
        done, gone = len(outcome.redriven), len(outcome.gone)
        return PutBack(redriven=done, gone=gone, left=len(order.letters) - done - gone)

    def _read(self, letter: Letter) -> RawRecord | None:
        event = letter.event
        with closing(TopicLog({**self._config, **_LEAN})) as log:
            message = log.at(event.topic, event.partition, event.offset)
        if message is None:
            return None
        return RawRecord(cast(ReadHeaders, message.headers()), message.value())

    def _redrive(self, order: RedriveOrder, choice: Choice) -> Redriven:
        return redrive(
            self._config,
            self._codec,
            choice,
            operator=order.operator,
            reason=order.reason,
            order_id=order.order_id,
        )
