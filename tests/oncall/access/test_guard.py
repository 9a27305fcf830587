"""Who is let in to the on-call view over HTTP, and how they are refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from ipaddress import ip_network

import pytest

from agents.oncall.access import csrf
from agents.oncall.access.proxy import Proxies
from agents.oncall.access.rates import Rate
from agents.oncall.access.roles import Role
from agents.oncall.guard import Limits
from tests import signed_in
from tests.builders import risk_assessed
from tests.oncall.events import NOW
from tests.oncall.serving import Client, Served, serve

from .visiting import ACT, HERE, PROXIES, act, anybody, browsing, enter, link, proof

__all__ = ["anybody"]


async def test_programs_are_told_as_a_problem(anybody: Client) -> None:
    """RFC 9457, whatever is wrong."""
    for path in ("/api/v1/worker", "/api/v1/nothing"):
        response = await anybody.get(path)
        assert (response.status, response.content_type) == (401, "application/problem+json")
        assert (await response.json())["reason"] == "not-signed-in"
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["x", link(), signed_in.session(), signed_in.bearer()[:-2], "é"])
async def test_a_bearer_of_something_else_is_refused(anybody: Client, token: str) -> None:
    """A link or a session is no bearer's token."""
    headers = {"Authorization": f"Bearer {token}"}
    response = await anybody.get("/api/v1/worker", headers=headers)
    assert (response.status, (await response.json())["reason"]) == (401, "token")


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.VIEWER, "/", 200),
        (Role.VIEWER, "/api/v1/worker", 200),
        (Role.VIEWER, ACT, 403),
        (Role.RESPONDER, ACT, 403),
        (Role.ADMIN, ACT, 200),
    ],
)
async def test_a_role_opens_what_it_may(served: Served, role: Role, path: str, status: int) -> None:
    """By cookie and by bearer's token alike."""
    async with browsing(served, firebreak=signed_in.session(role)) as client:
        assert (await client.get(path)).status == status
    async with browsing(served) as client:
        assert (await client.get(path, headers=signed_in.headers(role))).status == status


async def test_a_form_of_the_persons_own_page_is_taken(served: Served) -> None:
    """As a field, or as a header by scripts."""
    async with browsing(served, firebreak=signed_in.session()) as client:
        assert await act(client, {"csrf": proof()}) == 422
        assert await act(client, {}, {**HERE, "X-CSRF-Token": proof()}) == 422
        here = {"Origin": f"http://{client.host}:{client.port}"}
        assert await act(client, {"csrf": proof()}, here) == 422
    async with browsing(served) as client:
        assert await act(client, {}, signed_in.headers()) == 422


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"csrf": ""},
        {"csrf": "0" * 64},
        {"csrf": proof(Role.VIEWER)},
        {"csrf": signed_in.session()},
    ],
)
async def test_a_missing_or_forged_proof_is_refused(served: Served, form: dict[str, str]) -> None:
    """Another session's as well; nothing is done."""
    async with browsing(served, firebreak=signed_in.session()) as client:
        assert await act(client, form) == 403
    assert served.given == []
    assert served.counts["web refused csrf"] == 1


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}],
)
async def test_a_proof_from_elsewhere_is_refused(served: Served, headers: dict[str, str]) -> None:
    """Even one that leaked."""
    async with browsing(served, firebreak=signed_in.session()) as client:
        assert await act(client, {"csrf": proof()}, headers) == 403


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded; charset=nonsense", b"csrf=1"),
        ("application/x-www-form-urlencoded", b"csrf=%ff&\xff"),
        ("multipart/form-data", b"csrf=1"),
        ("text/plain", b"csrf=1"),
        ("application/json", b'{"csrf": 1}'),
    ],
)
async def test_a_form_that_cant_be_read_proves_nothing(
    served: Served, content_type: str, body: bytes
) -> None:
    """Refused, not choked on."""
    headers = {**HERE, "Content-Type": content_type}
    async with browsing(served, firebreak=signed_in.session()) as client:
        assert (await client.post(ACT, data=body, headers=headers)).status == 403


async def test_what_is_not_compressed_as_it_says_is_the_senders_fault(
    served: Served, anybody: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """To sign in, in a form of somebody who did, and from a program; nothing of ours failed."""
    garbled = {
        **HERE,
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Encoding": "gzip",
    }
    async with browsing(served, firebreak=signed_in.session()) as client:
        assert (await client.post(ACT, data=b"csrf=1", headers=garbled)).status == 400
    for path, headers in (("/sign-in", garbled), (ACT, {**garbled, **signed_in.headers()})):
        assert (await anybody.post(path, data=b"token=1", headers=headers)).status == 400
    # aiohttp tells of it itself, as it reads on to the end of what was sent.
    assert {it.name for it in caplog.records} <= {"aiohttp.server"}
    assert served.given == []


async def test_a_proxy_at_a_listed_address_says_who_somebody_is() -> None:
    """What it lets people do needs a proof as well: browsers come with it whoever sent them."""
    served = serve(partial(signed_in.guard, proxies=PROXIES))
    headers = {"X-Forwarded-User": "op-7", "X-Forwarded-Groups": "leads", **HERE}
    async with browsing(served) as client:
        assert (await client.get(ACT, headers=headers)).status == 200
        assert await act(client, {}, headers) == 403
        own = csrf.proof(signed_in.TOKENS.request_keys, "proxy op-7")
        assert await act(client, {"csrf": own}, headers) == 422
        viewer = {**headers, "X-Forwarded-Groups": "watch"}
        assert (await client.get(ACT, headers=viewer)).status == 403
        nobody = {**headers, "X-Forwarded-Groups": "others"}
        assert (await client.get("/", headers=nobody)).status == 403


async def test_a_proxys_headers_from_elsewhere_are_ignored_and_counted() -> None:
    """With proxies listed elsewhere, or none."""
    elsewhere = Proxies((ip_network("192.0.2.0/24"),), roles=PROXIES.roles)
    headers = {"X-Forwarded-User": "op-7", "X-Forwarded-Groups": "leads"}
    for proxies, counted in ((elsewhere, 1), (Proxies(), 0)):
        served = serve(partial(signed_in.guard, proxies=proxies))
        async with browsing(served) as client:
            response = await client.get("/api/v1/worker", headers=headers)
        assert response.status == 401
        assert served.counts["web proxy headers from an unlisted address"] == counted


async def test_too_many_requests_are_refused_for_a_while() -> None:
    """Of one person, of one address, and to sign in, each by itself."""
    limits = Limits(Rate(60, 2), Rate(60, 3), Rate(60, 1))
    served = serve(partial(signed_in.guard, limits=limits))
    async with browsing(served) as client:

        async def status(headers: Mapping[str, str]) -> int:
            response = await client.get("/api/v1/worker", headers=headers)
            assert (response.status == 429) is ("Retry-After" in response.headers)
            return response.status

        person, guess = signed_in.headers(Role.VIEWER), {"Authorization": "Bearer guess"}
        assert [await status(person) for _ in range(3)] == [200, 200, 429]
        assert [await status({}) for _ in range(4)] == [401, 401, 401, 429]
        assert [await status(guess) for _ in range(2)] == [401, 429]
        assert (await enter(client, link())).status == 429
        assert (await client.get("/live")).status == 200
        served.now_us += 1_000_000
        assert await status(person) == 200
        assert (await enter(client, link())).status == 303


async def test_what_is_refused_is_counted_and_not_logged(
    served: Served, anybody: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """No name, no address, no token."""
    caplog.set_level("DEBUG", logger="agents")
    caplog.set_level("DEBUG", logger="aiohttp.server")
    caplog.set_level("WARNING", logger="aiohttp.access")  # a worker's server keeps none
    await anybody.get("/api/v1/worker", headers={"Authorization": "Bearer guess"})
    await anybody.get("/streams/nothing", headers=signed_in.headers())
    assert served.counts["web refused token"] == 1
    assert caplog.text == ""


async def test_only_who_is_signed_in_learns_that_something_is_not_there(anybody: Client) -> None:
    """Faust's own pages are not there for anybody."""
    for path in ("/nothing", "/production_index", "/table/", "/router/"):
        assert (await anybody.get(path, allow_redirects=False)).status == 303
        assert (await anybody.get(path, headers=signed_in.headers())).status == 404
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"):
        assert (await anybody.request(method, "/", allow_redirects=False)).status != 200


async def test_a_page_that_fails_says_so_and_nothing_else(
    served: Served, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the page and what went wrong."""
    served.read_model.apply(risk_assessed(), NOW)
    served.controls = None  # type: ignore[assignment]  # whatever breaks
    response = await client.get("/control")
    assert response.status == 500
    assert "NoneType" not in await response.text()
    assert "GET /control failed" in caplog.text
