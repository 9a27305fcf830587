"""The plot of a stream's past, by keyboard."""

from __future__ import annotations

from playwright.async_api import BrowserContext, expect

from agents.oncall.handles import handle_of
from agents.oncall.ports import History, Sample
from tests.builders import SECOND, START

from .browsing import OVERFLOW, barriers, context, in_chromium, opened, served
from .events import stream_updated
from .serving import Served

__all__ = ["context", "served"]

pytestmark = [*in_chromium]


async def test_a_series_is_hidden_and_shown_by_keyboard_and_stays_so(
    served: Served, context: BrowserContext
) -> None:
    """Though the plot is drawn anew: the button keeps the focus, and its series is as chosen."""
    served.read_model.apply(stream_updated(), served.now_us)
    scores = {"firearm": 0.5, "fictional": 0.25}
    samples = [Sample(START + it * SECOND, "session-1", scores) for it in range(3)]
    served.room.history = History(samples=tuple(samples[:2]))
    page, complaints = await opened(context, served, f"/streams/{handle_of('stream-1')}")
    await page.clock.install()
    await page.reload()
    legend = page.get_by_role("group", name="Series of the plot")
    firearm = legend.get_by_role("button", name="firearm")
    await expect(firearm).to_have_attribute("aria-pressed", "true")
    assert await legend.evaluate("it => it.closest('[role=img]')") is None

    await firearm.focus()
    await page.keyboard.press("Space")
    await expect(firearm).to_have_attribute("aria-pressed", "false")
    served.room.history = History(samples=tuple(samples))
    async with page.expect_response("**/history"):
        await page.clock.fast_forward(20_000)
    await expect(page.locator("#plot canvas")).to_have_count(1)
    await expect(firearm).to_be_focused()
    await expect(firearm).to_have_attribute("aria-pressed", "false")
    await expect(legend.get_by_role("button", name="fictional")).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.emulate_media(color_scheme="dark")  # it is drawn anew once more
    await page.keyboard.press("Enter")
    await expect(firearm).to_have_attribute("aria-pressed", "true")
    assert await page.evaluate(OVERFLOW) == 0
    assert await barriers(page) == []
    assert complaints == []
