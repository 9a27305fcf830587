"""Frames whose payload lies elsewhere, with a URI in its place (the claim check pattern).

A payload is fetched before its frame joins a batch, so that no other frame waits for it. What may
pass is tried again after a while, a few times; then the frame is dead-lettered, and can be redriven
once its payload can be had.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from schemas import Codec, FrameSampled, ReadHeaders

from ..dead_letters import DeadLetterCause, Rejection
from ..intake import appended_at, read
from ..records import Record
from .admission import admit

DELAYS = (0.25, 1.0, 4.0)
"""Seconds from an attempt that failed to the next, half as long to half as long again."""
_MOST = 4096
"""Claims that are waited for; what comes more is dead-lettered at once."""
_LONGEST_CLAIM = 8 * 1024
"""Bytes of a record: in longer ones there is a payload."""

Sleep = Callable[[float], Awaitable[object]]


class PayloadRefused(Exception):
    """The payload is not fetched, or not taken, now or later. The message holds no URI, which may
    be a key to what it names."""

    def __init__(self, detail: str, cause: DeadLetterCause = DeadLetterCause.PAYLOAD_REFUSED):
        super().__init__(detail)
        self.cause = cause


class PayloadUnavailable(Exception):
    """The payload can't be had now. The message holds no URI."""


class FetchPayload(Protocol):
    """Gets what lies at a URI."""

    async def __call__(self, uri: str) -> bytes:
        """Raises ``PayloadRefused``, ``PayloadUnavailable``."""
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
        self, codec: Codec, fetch: FetchPayload | None, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._codec = codec
        self._fetch = fetch
        self._sleep = sleep
        self._waiting = 0
        self._chance = random.Random()  # noqa: S311  # spreads attempts

    def awaited(self, record: Record) -> Awaitable[Record | Rejection] | None:
        """What ``record`` is to be judged as, or why it can't be; ``None`` for what is no claim, or
        is refused whatever its payload is."""
        if self._fetch is None or len(record.value or b"") > _LONGEST_CLAIM:
            return None
        frame = read(self._codec, record, FrameSampled)
        if isinstance(frame, Rejection) or frame.payload or not frame.payload_uri:
            return None
        if admit(frame, appended_at(record)) is not None:
            return None
        return self._claim(self._fetch, record, frame)

    async def _claim(
        self, fetch: FetchPayload, record: Record, frame: FrameSampled
    ) -> Record | Rejection:
        if self._waiting >= _MOST:
            detail = f"{_MOST} frames wait for their payloads"
            return Rejection(DeadLetterCause.PAYLOAD_UNAVAILABLE, detail, frame.stream_id)
        self._waiting += 1
        try:
            payload = await self._payload(fetch, frame.payload_uri)
        except PayloadRefused as error:
            return Rejection(error.cause, str(error), frame.stream_id)
        except PayloadUnavailable as error:
            detail = f"{len(DELAYS) + 1} attempts; the last: {error}"
            return Rejection(DeadLetterCause.PAYLOAD_UNAVAILABLE, detail, frame.stream_id)
        finally:
            self._waiting -= 1
        return Claimed(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            timestamp=record.timestamp,
            key=record.key,
            value=self._codec.encode(replace(frame, payload=payload)),
            headers=record.headers,
        )

    async def _payload(self, fetch: FetchPayload, uri: str) -> bytes:
        for delay in DELAYS:
            try:
                return await fetch(uri)
            except PayloadUnavailable:
                await self._sleep(delay * self._chance.uniform(0.5, 1.5))
        return await fetch(uri)
