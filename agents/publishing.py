"""What an agent needs to publish: events in, and the brokers' word that they have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas import Event


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way out.

    ``id`` and ``time`` (microseconds since the epoch) become the CloudEvents attributes. The
    event goes to ``partition`` where that is set and to the partition of ``key`` otherwise.
    """

    event: Event
    id: str
    time: int
    key: bytes
    partition: int | None = None
    cause_traceparent: str | None = None


def outgoing(event: Event, cause_traceparent: str | None, partition: int | None = None) -> Outgoing:
    """``event`` under its own id, time and key, for ``partition`` where that is not its key's."""
    return Outgoing(
        event=event,
        id=event.id,
        time=event.time,
        key=event.subject.encode(),
        partition=partition,
        cause_traceparent=cause_traceparent,
    )


class ProcessUnfit(Exception):
    """This process can't do its work: it must end, commit nothing, and be started again."""


class PublishFailed(ProcessUnfit):
    """The brokers did not take an event: nothing that it rests on may be acknowledged."""


class OutputTooLarge(PublishFailed):
    """The brokers take no event as large as that: another process would not fare better. Where the
    record that it comes of is known, and nothing else rests on it, that is dead-lettered."""


class Publisher(Protocol):
    """Publishes to the topic of each event's type."""

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Return once the brokers have acknowledged all of ``outgoing``.

        Raises ``PublishFailed`` if they have not, ``OutputTooLarge`` where that is why; some of it
        may have been written then, and publishing the same again is harmless because ids follow
        from causes.
        """
        ...
