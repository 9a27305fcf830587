"""What people reach dead letters' records through. The composition root passes what implements it;
see ``topology.oncall``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .letters import Letter
from .ports import Unavailable
from .previews import Preview

MOST_AT_ONCE = 100
"""Letters of one order."""
NOT_DONE = (
    "What somebody else put back meanwhile is not put back again, nor is what Kafka does not keep "
    "any more. What fails again is another dead letter, with one attempt more; after three it is "
    "left to lie."
)
UNDO = "It can't. A frame that is judged late is judged as of the time it was captured."
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


def foretell_redrive(letters: Iterable[Letter], short: Mapping[str, str]) -> tuple[str, ...]:
    """What putting the records of ``letters`` back would do, in sentences; ``short`` names topics
    for people."""
    by_topic = Counter(it.event.topic for it in letters)
    follows = [
        f"Put {count} record{'s' if count != 1 else ''} back into {short.get(topic, topic)}, each "
        "into its partition and as it lies there: whoever failed on "
        f"{'them' if count != 1 else 'it'} tries again."
        for topic, count in sorted(by_topic.items())
    ]
    if not follows:
        return ("Nothing: these were put back before, or failed too often.",)
    noted = (
        "Write a note of each under your name, in one transaction with it: both are there, or "
        "neither."
    )
    return (*follows, noted)


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
