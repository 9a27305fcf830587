"""What became of an order: sent, in Kafka, in effect, or refused. Pure.

An order counts as in effect once its answer has come back from the topic, not once it was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from schemas import MICROSECONDS, CommandAnswered, Event, OperatorCommanded

from .bounds import bounded_id
from .rows import StreamRow
from .sessions import Seen, newer

PATIENCE = 10 * MICROSECONDS
"""Answers come within a second; after this somebody should see whether a worker runs."""
_KEPT = 5_000


class Phase(StrEnum):
    """How far an order has come."""

    UNKNOWN = "not known"
    """Nobody said when it was sent, and no such order was read."""
    SENT = "sent"
    TAKEN = "in Kafka"
    """It came back from the topic, and is not answered."""
    APPLIED = "in effect"
    REFUSED = "refused"


@dataclass(slots=True)
class Known:
    """What was read of one order, each with Kafka's time of it."""

    order: Seen[OperatorCommanded] | None = None
    answer: Seen[CommandAnswered] | None = None

    @property
    def scope(self) -> str:
        """Empty where it is of a stream."""
        read = self.order or self.answer
        return read.event.scope if read else ""


@dataclass(slots=True)
class KnownOrders:
    """The newest orders and the answers to them, by the order's id, in whatever order they come.

    Beyond 5,000 the one that was heard of first goes.
    """

    dropped: int = 0
    """How many went."""
    dropped_until: int = 0
    """When Kafka had the newest of them."""
    _known: dict[str, Known] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Known]:
        """Of each at least one was read."""
        return iter(self._known.values())

    def take(self, event: Event, at: int) -> None:
        """Take in what Kafka had ``at``; events that are about no order change nothing."""
        match event:
            case OperatorCommanded():
                known = self._of(event.command_id)
                # Given twice, it is one order, as it was given first.
                if known.order is None or at < known.order.at:
                    known.order = Seen(at, event)
            case CommandAnswered():
                known = self._of(event.command_id)
                known.answer = newer(known.answer, event, at)

    def get(self, order_id: str) -> Known:
        """Nothing, where it was not heard of."""
        return self._known.get(bounded_id(order_id), Known())

    def _of(self, order_id: str) -> Known:
        known = self._known.setdefault(bounded_id(order_id), Known())
        if len(self._known) > _KEPT:
            gone = self._known.pop(next(iter(self._known)))
            self.dropped += 1
            self.dropped_until = max(
                self.dropped_until, *(it.at for it in (gone.order, gone.answer) if it)
            )
        return known


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an order, as of now. Times are Kafka's, in microseconds since the epoch."""

    phase: Phase
    order: OperatorCommanded | None
    answer: CommandAnswered | None
    taken_at: int | None
    took_effect_at: int | None
    """When the answer came to be: it was in effect, or refused, by then."""
    overdue: bool
    """Whether an answer should have come by now."""

    @property
    def final(self) -> bool:
        """Whether nothing more becomes of the order itself."""
        return self.phase in (Phase.APPLIED, Phase.REFUSED)


def fate_of(known: Known, sent_at: int | None, now: int) -> Fate:
    """``sent_at`` is when this view sent it, where that is known."""
    order, answer = known.order, known.answer
    if answer is not None:
        phase = Phase.APPLIED if answer.event.applied else Phase.REFUSED
    elif order is not None:
        phase = Phase.TAKEN
    else:
        phase = Phase.UNKNOWN if sent_at is None else Phase.SENT
    since = order.at if order is not None else sent_at
    return Fate(
        phase=phase,
        order=order.event if order is not None else None,
        answer=answer.event if answer is not None else None,
        taken_at=order.at if order is not None else None,
        took_effect_at=answer.at if answer is not None else None,
        overdue=answer is None and since is not None and now - since > PATIENCE,
    )


class Stop(StrEnum):
    """Whether a stream that was to be stopped is. The values are words."""

    AWAITED = "No takedown service has confirmed the stop yet."
    CONFIRMED = "A takedown service has confirmed that the stream is stopped."
    FAILED = "A takedown service could not stop the stream."


def stop_of(fate: Fate, row: StreamRow | None) -> Stop | None:
    """What came of the stop that an order asked for; none where it asked for none, or where the
    stream went on to something else since."""
    answer = fate.answer
    asked = answer is not None and answer.applied and answer.state_after == "takedown-requested"
    if not asked or answer is None or row is None or row.decision is None:
        return None
    if row.session_id != bounded_id(answer.session_id):
        return None
    return {"": Stop.AWAITED, "stopped": Stop.CONFIRMED}.get(row.decision.answer, Stop.FAILED)
