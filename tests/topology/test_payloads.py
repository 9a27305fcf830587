"""Payloads are fetched over HTTP from what is listed and nowhere else, within size and time."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agents.detection.claims import PayloadRefused
from agents.detection.origins import AT_ONCE, PayloadUnavailable
from tests.waiting import wait_until_async
from topology.payloads import PayloadFetcher, _reachable
from topology.settings import SettingsInvalid, load_settings

LOOPBACK = ("127.0.0.0/8", "::1/128")
SIGNATURE = "do-not-tell"
LARGEST = 64 * 1024


class Store:
    """An object store that has its ways; it counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = asyncio.Event()

    async def give(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        bodies = {"frame": b"pixels", "largest": bytes(LARGEST), "large": bytes(LARGEST + 1)}
        match request.match_info["what"]:
            case what if what in bodies:
                return web.Response(body=bodies[what])
            case "endless":
                return await self._endlessly(request)
            case "redirect":
                raise web.HTTPFound(f"http://{request.host}/frame")
            case "zipped":
                response = web.Response(body=bytes(1000))
                response.enable_compression(web.ContentCoding.gzip)
                return response
            case "never":
                await self.free.wait()
                return web.Response()
            case status:
                return web.Response(status=int(status))

    @staticmethod
    async def _endlessly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        while True:
            await response.write(bytes(8192))


@asynccontextmanager
async def store(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[tuple[Store, str]]:
    """A store, and its origin."""
    kept = Store()
    app = web.Application()
    app.router.add_get("/{what}", kept.give)
    async with TestServer(app, host=host, port=port) as server:
        yield kept, f"http://{host}:{server.port}"
        kept.free.set()


@asynccontextmanager
async def fetcher(
    *origins: str, networks: tuple[str, ...] = LOOPBACK, seconds: float = 5.0
) -> AsyncIterator[PayloadFetcher]:
    settings = load_settings(
        payload_origins=origins,
        payload_networks=networks,
        payload_timeout=seconds,
        max_payload_bytes=LARGEST,
    )
    fetch = PayloadFetcher(settings)
    async with fetch:
        yield fetch


async def refused(fetch: PayloadFetcher, uri: str) -> tuple[str, str]:
    with pytest.raises(PayloadRefused) as caught:
        await fetch(uri)
    return caught.value.cause, str(caught.value)


async def unavailable(fetch: PayloadFetcher, uri: str) -> str:
    with pytest.raises(PayloadUnavailable) as caught:
        await fetch(uri)
    return str(caught.value)


async def test_what_lies_at_an_allowed_origin_is_fetched() -> None:
    async with store() as (kept, origin), fetcher(origin) as fetch:
        assert await fetch(f"{origin}/frame?signature={SIGNATURE}") == b"pixels"
        assert len(await fetch(f"{origin}/largest")) == LARGEST
        assert kept.asked == [f"/frame?signature={SIGNATURE}", "/largest"]


@pytest.mark.parametrize(
    "uri",
    [
        "http://elsewhere.example/frame",
        "https://store.example/frame",
        "http://store.example:81/frame",
        "http://store.example.evil.example/frame",
        "http://store.example@evil.example/frame",
        "http://user:pass@store.example/frame",
        "file:///etc/passwd",
        "ftp://store.example/frame",
        "gopher://store.example/1",
        "//store.example/frame",
        "/frame",
        "http://",
        "http://store.example:99999/",
        "http://[::1",
        "\x00",
        "http://store.example\\@evil.example/",
        "http://store。example.evil/",
    ],
)
async def test_no_other_uri_is_asked_for(uri: str) -> None:
    async with fetcher("http://store.example") as fetch:
        cause, detail = await refused(fetch, uri)
    assert cause == "payload-refused"
    assert "frame" not in detail
    assert "pass" not in detail


async def test_a_name_or_a_number_of_a_private_address_is_not_connected_to() -> None:
    async with store() as (kept, origin):
        port = origin.rpartition(":")[2]
        origins = (origin, f"http://localhost:{port}")
        async with fetcher(*origins, networks=()) as fetch:
            for allowed in origins:
                _, detail = await refused(fetch, f"{allowed}/frame")
                assert detail.endswith("leads to a private address")
        number = f"http://2130706433:{port}"
        async with fetcher(number) as fetch:
            assert await refused(fetch, number) == (
                "payload-refused",
                f"{number}: not the URL of a host",
            )
        assert kept.asked == []
        async with fetcher(*origins) as fetch:
            assert await fetch(f"{origins[1]}/frame") == b"pixels"


async def test_a_name_that_comes_to_lead_elsewhere_is_not_followed_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The address that was checked is connected to, and each connection's is checked."""
    looked_up: list[str] = []
    asked = socket.getaddrinfo

    def resolve(host: str, *about: Any, **kinds: Any) -> Any:
        """As a name server would that somebody else rules over: its answer changes at once."""
        if host != "store.example":
            return asked(host, *about, **kinds)
        looked_up.append("127.0.0.2" if looked_up else "127.0.0.1")
        return asked(looked_up[-1], *about, **kinds)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with store() as (kept, origin):
        port = int(origin.rpartition(":")[2])
        async with store(host="127.0.0.2", port=port) as (private, _):
            name = f"http://store.example:{port}"
            async with fetcher(name, networks=("127.0.0.1/32",)) as fetch:
                # It keeps its connection to itself, so that the next fetch has to make another.
                first = asyncio.create_task(fetch(f"{name}/never"))
                await wait_until_async(lambda: kept.asked == ["/never"], 5)
                assert looked_up == ["127.0.0.1"]
                _, detail = await refused(fetch, f"{name}/frame")
                assert detail.endswith("leads to a private address")
                assert looked_up == ["127.0.0.1", "127.0.0.2"]
                kept.free.set()
                assert await first == b""
            assert private.asked == []


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("169.254.169.254", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", False),
    ],
)
def test_public_addresses_and_those_of_listed_networks_are_reachable(
    address: str, reachable: bool
) -> None:
    assert _reachable(ip_address(address), [ip_network("10.1.0.0/16")]) is reachable


async def test_a_redirect_is_not_followed() -> None:
    async with store() as (kept, origin), fetcher(origin) as fetch:
        cause, detail = await refused(fetch, f"{origin}/redirect")
        assert (cause, kept.asked) == ("payload-refused", ["/redirect"])
        assert detail == f"{origin}: status 302, which is not followed"


@pytest.mark.parametrize("what", ["large", "endless"])
async def test_a_payload_that_is_too_large_is_not_read_to_its_end(what: str) -> None:
    async with store() as (_, origin), fetcher(origin) as fetch:
        cause, detail = await refused(fetch, f"{origin}/{what}")
        assert (cause, detail) == ("payload-too-large", f"{origin}: over {LARGEST} bytes")


async def test_a_compressed_answer_is_refused() -> None:
    async with store() as (_, origin), fetcher(origin) as fetch:
        _, detail = await refused(fetch, f"{origin}/zipped")
        assert detail == f"{origin}: a content encoding that was not asked for"


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_what_is_not_there_is_refused_for_good(status: int) -> None:
    async with store() as (_, origin), fetcher(origin) as fetch:
        _, detail = await refused(fetch, f"{origin}/{status}?signature={SIGNATURE}")
        assert detail == f"{origin}: status {status}"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_what_may_pass_is_told_apart(status: int) -> None:
    async with store() as (_, origin), fetcher(origin) as fetch:
        detail = await unavailable(fetch, f"{origin}/{status}?signature={SIGNATURE}")
        assert detail == f"{origin}: status {status}"


async def test_a_store_that_does_not_answer_or_is_not_there_is_unavailable() -> None:
    async with store() as (_, origin), fetcher(origin, seconds=0.2) as fetch:
        assert await unavailable(fetch, f"{origin}/never") == f"{origin}: no answer in time"
    async with fetcher(origin) as fetch:
        assert await unavailable(fetch, f"{origin}/frame") == f"{origin}: can't be connected to"


async def test_an_origin_that_hangs_holds_up_no_other_and_is_asked_for_only_so_much() -> None:
    async with (
        store() as (kept, slow),
        store() as (_, quick),
        fetcher(slow, quick, seconds=60) as fetch,
    ):
        hanging = [asyncio.create_task(fetch(f"{slow}/never")) for _ in range(2 * AT_ONCE)]
        await wait_until_async(lambda: len(kept.asked) == AT_ONCE, 20)
        assert await fetch(f"{quick}/frame") == b"pixels"
        assert len(kept.asked) == AT_ONCE
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_of_which_origin_a_uri_is_is_told_without_asking_it() -> None:
    async with store() as (kept, one), store() as (_, other), fetcher(one, other) as fetch:
        assert set(fetch.origins) == {one, other}
        assert fetch.origin(f"{other}/frame?signature={SIGNATURE}") == other
        assert fetch.origin(f"{one.upper().replace('HTTP', 'http')}/frame") == one
        with pytest.raises(PayloadRefused):
            fetch.origin("http://elsewhere.example/frame")
        assert kept.asked == []


async def test_no_message_nor_log_line_tells_a_uri(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with store() as (_, origin), fetcher(origin, seconds=0.2) as fetch:
        for what in ("404", "503", "redirect", "zipped", "never", "large"):
            with pytest.raises((PayloadRefused, PayloadUnavailable)) as caught:
                await fetch(f"{origin}/{what}?signature={SIGNATURE}")
            assert SIGNATURE not in str(caught.value)
    # The server of this test logs what it is asked, which is not ours.
    told = [it.getMessage() for it in caplog.records if it.name != "aiohttp.access"]
    assert not any(SIGNATURE in message for message in told)


@pytest.mark.parametrize(
    "origin", ["store.example", "ftp://store.example", "https://store.example/a", "https://u@s/"]
)
def test_an_origin_that_is_none_is_told(origin: str) -> None:
    with pytest.raises(SettingsInvalid, match="FIREBREAK_PAYLOAD_ORIGINS"):
        load_settings(payload_origins=(origin,))
