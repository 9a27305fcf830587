"""What comes of several records published record by record, where together it was too large.

The record that it comes of is dead-lettered, as any worker would fare the same with it, and what
comes of the others is published once more, which is harmless.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from .dead_letters import DeadLetterCause, Rejection
from .publishing import Outgoing, OutputTooLarge
from .records import Record

Apart = AsyncIterator[tuple[Record, list[Outgoing]]]
"""Records, each with what came of it alone."""


async def one_by_one(came: Sequence[tuple[Record, list[Outgoing]]]) -> Apart:
    """What came of each already."""
    for it in came:
        yield it


async def each_anew(
    records: Sequence[Record], attempt: Callable[[Sequence[Record]], Awaitable[list[Outgoing]]]
) -> Apart:
    """What comes of each when it is tried by itself."""
    for record in records:
        yield record, await attempt([record])


async def publish_apart(
    apart: Apart,
    publish: Callable[[Sequence[Outgoing]], Awaitable[None]],
    reject: Callable[[Record, Rejection], Outgoing],
) -> list[Outgoing]:
    """What was published in the end. Raises what ``publish`` raises of a dead letter, too."""
    published: list[Outgoing] = []
    async for record, came in apart:
        try:
            await publish(came)
            published += came
        except OutputTooLarge as error:
            rejection = Rejection(DeadLetterCause.OUTPUT_TOO_LARGE, str(error))
            letter = reject(record, rejection)
            await publish([letter])
            published.append(letter)
    return published
