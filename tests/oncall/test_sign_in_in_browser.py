"""Signing in with Debian's Chromium: by a one-time link, and back from somewhere else."""

from __future__ import annotations

from playwright.async_api import BrowserContext, expect

from agents.oncall.access.roles import Role
from agents.oncall.access.tokens import LINK_LASTS, Purpose
from tests import signed_in

from .browsing import barriers, context, in_chromium, served
from .serving import Served

__all__ = ["context", "served"]

pytestmark = [*in_chromium]


def url_of(served: Served, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{served.app.conf.web_port}"


async def test_a_link_fills_the_form_in_and_leaves_the_address(
    served: Served, context: BrowserContext
) -> None:
    """Nothing is used up before the button is pressed, and the token is in no address after."""
    person = signed_in.person(Role.RESPONDER)
    until = served.now_us + LINK_LASTS
    token = signed_in.TOKENS.issue(Purpose.LINK, person, until, "link-1")
    page = context.pages[0]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    await page.goto(f"{url_of(served)}/sign-in#{token}")
    await expect(page.get_by_text("You have a one-time link.")).to_be_visible()
    assert token not in page.url
    assert await barriers(page) == []
    await page.keyboard.press("Enter")

    await expect(page.get_by_text(person.name)).to_be_visible()
    assert page.url == f"{url_of(served)}/"
    assert not any(token in url.partition("#")[0] for url in asked)
    (cookie,) = await context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert complaints == []

    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await context.cookies() == []


async def test_a_link_on_another_site_leads_to_the_page_for_who_is_signed_in(
    served: Served, context: BrowserContext
) -> None:
    """A pager's link is followed from elsewhere, where browsers leave the cookie out at first."""
    page = context.pages[0]
    await context.add_cookies([signed_in.cookie(f"{url_of(served)}/")])
    await page.goto(f"{url_of(served, 'localhost')}/sign-in")
    await page.evaluate(
        """to => {
            const link = document.createElement("a");
            link.href = to;
            link.textContent = "the incident";
            document.body.append(link);
        }""",
        f"{url_of(served)}/control",
    )
    await page.get_by_role("link", name="the incident").click()

    await expect(page.get_by_role("heading", name="Control", exact=True)).to_be_visible()
    assert page.url == f"{url_of(served)}/control"


async def test_a_link_on_another_site_asks_who_is_not_signed_in_once(
    served: Served, context: BrowserContext
) -> None:
    """It does not go round in circles."""
    page = context.pages[0]
    await page.goto(f"{url_of(served, 'localhost')}/sign-in")
    await page.evaluate("to => { location.href = to }", f"{url_of(served)}/control")
    await page.wait_for_url("**/sign-in?next=*")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(page.locator("meta[http-equiv]")).to_have_count(0)
