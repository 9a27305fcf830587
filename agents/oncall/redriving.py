"""What people reach dead letters' records through. The composition root passes what implements it;
see ``topology.oncall``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .letters import Letter
from .ports import Unavailable
from .previews import Preview

MOST_AT_ONCE = 100
"""Letters of one order."""
_NOWHERE = "this worker has no way to it"


class NotPutBack(Exception):
    """Kafka did not take all of it, as far as is known. The message is for people.

    Ordered again, nothing is put back twice.
    """


@dataclass(frozen=True, slots=True)
class RedriveOrder:
    """Who has which dead letters' records put back, and why."""

    order_id: str
    operator: str
    reason: str
    letters: Sequence[Letter]
    """At most ``MOST_AT_ONCE``."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """What became of an order's letters."""

    redriven: int
    gone: int
    """Kafka does not keep their records any more."""
    left: int
    """Were put back before, or failed too often."""


class DeadLetterOffice(Protocol):
    """Gets dead letters' records, and puts them back."""

    async def preview(self, letter: Letter) -> Preview:
        """The record that failed, as far as it may be shown. Raises ``Unavailable``."""
        ...

    async def put_back(self, order: RedriveOrder) -> PutBack:
        """Put the records back where they came from, each once however often it is ordered.

        Raises ``NotPutBack``.
        """
        ...


class NoOffice:
    """A ``DeadLetterOffice`` of a view that nothing is reached from."""

    async def preview(self, letter: Letter) -> Preview:
        raise Unavailable(_NOWHERE)

    async def put_back(self, order: RedriveOrder) -> PutBack:
        raise NotPutBack(_NOWHERE)
