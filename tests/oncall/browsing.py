"""A served on-call view in Debian's Chromium, for tests to look at and to type into."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright

from tests import signed_in

from .serving import Served, serve

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parent.parent.parent / "build/web/axe.min.js"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
"""Pixels by which a page is wider than its window."""

in_chromium = (
    pytest.mark.web,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}"),
)
"""For ``pytestmark``."""


def serve_at(port: int, **given: Any) -> Served:
    """Not started yet."""
    return serve(web_bind="127.0.0.1", web_host="127.0.0.1", web_port=port, **given)


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = serve_at(free_port())
    async with served.app.web:
        yield served


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=CHROMIUM,
            args=ARGUMENTS,
            viewport={"width": 360, "height": 740},
        )
        yield context
        await context.close()


def url_of(served: Served, path: str = "/") -> str:
    """Where the browser finds ``path``."""
    return f"http://127.0.0.1:{served.app.conf.web_port}{path}"


async def opened(
    context: BrowserContext, served: Served, path: str = "/"
) -> tuple[Page, list[str]]:
    """The page, for a signed-in admin, and what its console complains of from here on."""
    page = context.pages[0]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await context.add_cookies([signed_in.cookie(url_of(served, ""))])
    await page.goto(url_of(served, path))
    return page, complaints


async def barriers(page: Page) -> list[Any]:
    """What axe finds on the page that would keep somebody from it; where axe is not there it skips,
    and fails in CI."""
    if not AXE.exists():
        missing = "axe is not there: deploy/web/install puts it in place"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run()")
    return [(it["id"], it["nodes"][0]["html"]) for it in found["violations"]]
