"""Signing in and out over HTTP, and where people are led who are not signed in."""

from __future__ import annotations

from functools import partial

import pytest

from agents.oncall.access.tokens import SESSION_LASTS, Tokens
from tests import signed_in
from tests.oncall.serving import Client, Served, serve

from .visiting import HERE, PROXIES, anybody, browsing, enter, link, proof

__all__ = ["anybody"]


async def test_people_are_led_to_where_they_sign_in_and_back(anybody: Client) -> None:
    """What they wanted is remembered."""
    response = await anybody.get("/control?a=b", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (
        303,
        "/sign-in?next=%2Fcontrol%3Fa%3Db",
    )
    assert 'value="/control?a=b"' in await (await anybody.get("/control?a=b")).text()


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\tb", ""]
)
async def test_nobody_is_led_to_another_site(anybody: Client, path: str) -> None:
    """Whatever the address of the sign-in page says."""
    response = await anybody.get("/sign-in", params={"next": path})
    assert 'name="next" value="/"' in await response.text()


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Sec-Fetch-Mode": "cors"}])
async def test_scripts_are_not_given_the_sign_in_page_for_what_they_fetch(
    anybody: Client, headers: dict[str, str]
) -> None:
    """They are told: what somebody looks at stays where it is, and says so."""
    response = await anybody.get("/now", headers=headers, allow_redirects=False)
    assert response.status == 401
    assert not {"Location", "HX-Redirect"} & set(response.headers)


async def test_a_link_signs_in_once_and_the_browser_keeps_a_session(
    served: Served, anybody: Client
) -> None:
    """No script sees it, no other site sends it, and it ends by itself."""
    response = await enter(anybody, f"http://127.0.0.1:6066/sign-in#{link()}")
    assert (response.status, response.headers["Location"]) == (303, "/control")
    cookie = response.cookies["firebreak"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert cookie["max-age"] == str(SESSION_LASTS // 1_000_000)
    assert (await anybody.get("/")).status == 200

    again = await enter(anybody, link())
    assert again.status == 401
    assert "was used already" in await again.text()
    assert served.counts["web sign-in refused spent"] == 1

    served.now_us += SESSION_LASTS
    assert (await anybody.get("/", allow_redirects=False)).status == 303


async def test_looking_at_the_sign_in_page_uses_no_link_up(anybody: Client) -> None:
    """Chats look at links before people do."""
    for method in ("HEAD", "GET", "GET"):
        await anybody.request(method, "/sign-in")
    assert (await enter(anybody, link())).status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Accept": "*/*"},
    ],
)
async def test_another_site_signs_nobody_in(anybody: Client, headers: dict[str, str]) -> None:
    """Else somebody would act under a name that an attacker chose."""
    response = await enter(anybody, link(), **headers)
    assert (response.status, response.cookies) == (403, {})


async def test_signing_out_ends_the_session_and_its_copies(served: Served) -> None:
    """A form of the session's own page is what does it."""
    async with browsing(served, firebreak=signed_in.session()) as client:
        form = {"csrf": proof()}
        response = await client.post("/sign-out", data=form, headers=HERE, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/sign-in")
        assert response.cookies["firebreak"].value == ""
    async with browsing(served, firebreak=signed_in.session()) as thief:
        assert (await thief.get("/", allow_redirects=False)).status == 303


async def test_behind_https_the_cookie_is_this_hosts_alone() -> None:
    """By what a trusted proxy says; anybody else's word makes no cookie secure."""
    https = {**HERE, "X-Forwarded-Proto": "https"}
    served = serve(partial(signed_in.guard, proxies=PROXIES))
    async with browsing(served) as client:
        response = await enter(client, link(), **https)
    assert response.cookies["__Host-firebreak"]["secure"] is True
    served = serve()
    async with browsing(served) as client:
        response = await enter(client, link(), **https)
    assert list(response.cookies) == ["firebreak"]


async def test_without_a_key_nobody_signs_in_and_it_is_said_how_to_set_one() -> None:
    """Not even with what no key signed."""
    served = serve(partial(signed_in.guard, tokens=Tokens([])))
    async with browsing(served) as client:
        assert "FIREBREAK_WEB_KEY" in await (await client.get("/")).text()
        assert (await enter(client, link())).status == 401
        assert (await client.get("/api/v1/worker", headers=signed_in.headers())).status == 401
