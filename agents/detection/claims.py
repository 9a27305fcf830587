"""Frames whose payload lies elsewhere, with a URI in its place (the claim check pattern).

A payload is fetched before its frame joins a batch, so that no other frame waits for it. What may
pass is tried again after a while, a few times; then the frame is dead-lettered, and can be redriven
once its payload can be had. Where an origin gives nothing any more that comes at once; one that is
busy is waited for. What waits is bounded by origin: when one has no more room, reading stops.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from schemas import Codec, FrameSampled, ReadHeaders

from ..dead_letters import DeadLetterCause, Rejection
from ..inflow import Waiting
from ..intake import appended_at, read
from ..records import Record
from .admission import admit
from .origins import Origin, OriginAway, PayloadUnavailable

DELAYS = (0.25, 1.0, 4.0)
"""Seconds from an attempt that failed to the next, half as long to half as long again."""
_LONGEST_CLAIM = 8 * 1024
"""Bytes of a record: in longer ones there is a payload."""

Sleep = Callable[[float], Awaitable[object]]


class PayloadRefused(Exception):
    """The payload is not fetched, or not taken, now or later. The message holds no URI, which may
    be a key to what it names."""

    def __init__(self, detail: str, cause: DeadLetterCause = DeadLetterCause.PAYLOAD_REFUSED):
        super().__init__(detail)
        self.cause = cause


class FetchPayload(Protocol):
    """Gets what lies at a URI."""

    async def __call__(self, uri: str) -> bytes:
        """Raises ``PayloadRefused``, ``PayloadUnavailable``."""
        ...


class PayloadOrigins(FetchPayload, Protocol):
    """Gets what lies at a URI of one of ``origins``."""

    @property
    def origins(self) -> Collection[str]: ...

    @property
    def largest(self) -> int:
        """Most bytes of a payload."""
        ...

    def origin(self, uri: str) -> str:
        """Which of them it is of. Raises ``PayloadRefused``."""
        ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """The record of a claim, as it would have been with the payload in it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: ReadHeaders


class Claims:
    """Waits for the payloads of claims. Without ``fetch`` no claim is one to be waited for."""

    def __init__(
        self, codec: Codec, fetch: PayloadOrigins | None, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._codec = codec
        self._fetch = fetch
        self._sleep = sleep
        names = fetch.origins if fetch is not None else ()
        largest = fetch.largest if fetch is not None else 0
        self.origins = {name: Origin(name, largest) for name in names}
        self._chance = random.Random()  # noqa: S311  # spreads attempts

    @property
    def waiting(self) -> int:
        """Claims that were read and are not in a batch."""
        return sum(origin.waiting for origin in self.origins.values())

    def lies_at(self, origin: str, frame: FrameSampled) -> bool:
        """Whether ``frame`` is a claim whose payload is of that origin."""
        if self._fetch is None or not _is_claim(frame):
            return False
        try:
            return self._fetch.origin(frame.payload_uri) == origin
        except PayloadRefused:
            return False

    def awaited(self, record: Record) -> Waiting | None:
        """What ``record`` is to be judged as, or why it can't be; ``None`` for what is no claim, or
        is refused whatever its payload is."""
        if self._fetch is None or len(record.value or b"") > _LONGEST_CLAIM:
            return None
        frame = read(self._codec, record, FrameSampled)
        if isinstance(frame, Rejection) or not _is_claim(frame):
            return None
        if admit(frame, appended_at(record)) is not None:
            return None
        try:
            origin = self.origins[self._fetch.origin(frame.payload_uri)]
        except PayloadRefused as error:
            return _Refused(Rejection(error.cause, str(error), frame.stream_id))
        payload = partial(self._payload, origin, partial(self._fetch, frame.payload_uri))
        return _Claim(self._codec, record, frame, origin, payload)

    async def _payload(self, origin: Origin, get: Callable[[], Awaitable[bytes]]) -> bytes:
        for delay in DELAYS:
            try:
                return await origin.fetch(get)
            except OriginAway:
                raise
            except PayloadUnavailable:
                await self._sleep(delay * self._chance.uniform(0.5, 1.5))
        return await origin.fetch(get)


@dataclass(frozen=True, slots=True)
class _Refused:
    """A claim whose payload is not asked for."""

    rejection: Rejection

    async def enter(self) -> None:
        """At once."""

    async def get(self) -> Rejection:
        return self.rejection

    def leave(self) -> None:
        """There is nothing to leave."""


class _Claim:
    """A claim on its way."""

    __slots__ = ("_codec", "_entered", "_frame", "_origin", "_payload", "_record", "_size")

    def __init__(
        self,
        codec: Codec,
        record: Record,
        frame: FrameSampled,
        origin: Origin,
        payload: Callable[[], Awaitable[bytes]],
    ) -> None:
        self._codec = codec
        self._record = record
        self._frame = frame
        self._origin = origin
        self._payload = payload
        self._entered = False
        self._size: int | None = None

    async def enter(self) -> None:
        await self._origin.enter()
        self._entered = True

    def leave(self) -> None:
        if self._entered:
            self._entered = False
            self._origin.leave(self._size)

    async def get(self) -> Record | Rejection:
        frame, record = self._frame, self._record
        try:
            payload = await self._payload()
        except PayloadRefused as error:
            return Rejection(error.cause, str(error), frame.stream_id)
        except OriginAway as error:
            return Rejection(DeadLetterCause.PAYLOAD_UNAVAILABLE, str(error), frame.stream_id)
        except PayloadUnavailable as error:
            detail = f"{len(DELAYS) + 1} attempts; the last: {error}"
            return Rejection(DeadLetterCause.PAYLOAD_UNAVAILABLE, detail, frame.stream_id)
        self._size = len(payload)
        return Claimed(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            timestamp=record.timestamp,
            key=record.key,
            value=self._codec.encode(replace(frame, payload=payload)),
            headers=record.headers,
        )


def _is_claim(frame: FrameSampled) -> bool:
    return bool(frame.payload_uri) and not frame.payload
