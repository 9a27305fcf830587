"""What the web server logs of requests that are none."""

from __future__ import annotations

import asyncio

import pytest

from .serving import Client, Served


async def test_what_is_no_http_is_counted_and_leaves_nothing_in_the_log(
    served: Served, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what was written nor who wrote it: it may be somebody's name."""
    assert client.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"GET /?text=somebodys-name\xff HTTP/7.7\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()

    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert "somebodys-name" not in caplog.text
    assert "127.0.0.1" not in caplog.text
    assert served.counts["web refused not-http"] == 1
