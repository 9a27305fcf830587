"""Connections that are lost in the instant in which something is written to them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from topology.aiokafka_mend import mend_aiokafka

LIMIT = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger."""
_CORRELATION = slice(4, 8)
_METADATA_IS_ALL_IT_KNOWS = struct.pack(">hihhh", 0, 1, 3, 0, 5)
"""The answer to ApiVersions, version 0: no error, and one key (3) with its versions."""


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice, as a process may be."""
    for name in ("send", "_send_sasl_token"):
        monkeypatch.setattr(AIOKafkaConnection, name, getattr(AIOKafkaConnection, name))
    mend_aiokafka()
    mend_aiokafka()


@asynccontextmanager
async def _connected() -> AsyncIterator[tuple[AIOKafkaConnection, asyncio.Event]]:
    """A connection, and what has the broker die: its system resets the connection."""
    dies = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        asked = await reader.readexactly(size)
        body = asked[_CORRELATION] + _METADATA_IS_ALL_IT_KNOWS
        writer.write(struct.pack(">i", len(body)) + body)
        await dies.wait()
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
        )
        writer.transport.abort()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        connection = AIOKafkaConnection(*server.sockets[0].getsockname())
        await connection.connect()
        try:
            yield connection, dies
        finally:
            dies.set()
            connection.close()


async def _write_as_it_is_lost() -> None:
    async with _connected() as (connection, dies):
        writer = connection._writer
        assert writer is not None
        dies.set()
        async with asyncio.timeout(LIMIT):
            while not writer.is_closing():  # noqa: ASYNC110  # the very turn of the loop is meant
                await asyncio.sleep(0)
        # uvloop has closed it a turn later, and aiokafka knows two turns after that.
        await asyncio.sleep(0)
        await connection.send(MetadataRequest([]))


@pytest.mark.usefixtures("mended")
def test_a_connection_lost_as_it_is_written_to_is_a_lost_connection() -> None:
    with pytest.raises(KafkaConnectionError, match="broken: unable to perform operation"):
        uvloop.run(_write_as_it_is_lost())


def test_without_the_mend_it_is_an_error_that_nobody_awaits() -> None:
    """Where this fails, the mend is not needed any more."""
    with pytest.raises(RuntimeError, match="unable to perform operation"):
        uvloop.run(_write_as_it_is_lost())


@pytest.mark.usefixtures("mended")
def test_other_errors_are_left_as_they_are() -> None:
    async def fail() -> None:
        async with _connected() as (connection, _):
            await connection.send(_Broken())

    with pytest.raises(RuntimeError, match="our own"):
        uvloop.run(fail())


class _Broken:
    def prepare(self, versions: object) -> object:
        raise RuntimeError("our own")
