"""A trusted proxy's word counts; the same words from anybody else don't."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.oncall.access.proxy import Proxies, Unclear
from agents.oncall.access.roles import Person, Role

PROXIES = Proxies(
    (ip_network("10.1.0.0/16"), ip_network("fd00::/8")),
    roles={"watch": Role.VIEWER, "oncall": Role.RESPONDER, "leads": Role.ADMIN},
)
USER, GROUPS = "X-Forwarded-User", "X-Forwarded-Groups"


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::1", True),
        ("10.2.0.1", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("", False),
        ("10.1.2.3:80", False),
    ],
)
def test_only_listed_addresses_are_trusted(address: str, trusted: bool) -> None:
    """Loopback neither, unless it is listed."""
    assert PROXIES.trusts(address) is trusted
    assert not Proxies().trusts(address)


@given(st.lists(st.sampled_from(["watch", "oncall", "leads", "others", "", " oncall "])))
def test_the_highest_of_the_groups_roles_counts(groups: list[str]) -> None:
    """Groups that have no role count nothing."""
    found = PROXIES.person([(USER, "op-7"), (GROUPS, ",".join(groups))])
    named = {group.strip() for group in groups}
    best = next((PROXIES.roles[it] for it in ("leads", "oncall", "watch") if it in named), None)
    assert found == (Unclear.NO_ROLE if best is None else Person("op-7", best))


@pytest.mark.parametrize(
    "headers",
    [
        [(USER, "op-7"), (USER, "op-8"), (GROUPS, "leads")],
        [(USER, "op-7"), ("x-forwarded-user", "op-7"), (GROUPS, "leads")],
        [(USER, "op-7"), (GROUPS, "watch"), ("x-forwarded-groups", "leads")],
        [(USER, ""), (GROUPS, "leads")],
        [(USER, "op\x007"), (GROUPS, "leads")],
        [(USER, "o" * 500), (GROUPS, "leads")],
    ],
)
def test_headers_that_say_it_twice_or_name_nobody_are_refused(
    headers: list[tuple[str, str]],
) -> None:
    """Which of them the proxy wrote, and which the client, can't be told."""
    assert PROXIES.person(headers) is Unclear.AMBIGUOUS


def test_a_proxy_that_names_nobody_names_nobody() -> None:
    """Groups without a person are nobody's."""
    assert PROXIES.person([(GROUPS, "leads")]) is None


def test_other_proxies_speak_otherwise() -> None:
    """Header names and the separator are settings."""
    authentik = Proxies(
        PROXIES.networks, "X-authentik-uid", "X-authentik-groups", "|", PROXIES.roles
    )
    headers = [("X-Authentik-Uid", "900347b8"), ("X-Authentik-Groups", "others|oncall")]
    assert authentik.person(headers) == Person("900347b8", Role.RESPONDER)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", ["198.51.100.9"], "192.0.2.1"),  # anybody can write that
        ("10.1.0.1", [], "10.1.0.1"),
        ("10.1.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("10.1.0.1", ["203.0.113.5, 198.51.100.9"], "198.51.100.9"),
        ("10.1.0.1", ["203.0.113.5, 198.51.100.9, 10.1.0.2"], "198.51.100.9"),
        ("10.1.0.1", ["203.0.113.5", "198.51.100.9"], "198.51.100.9"),
        ("10.1.0.1", ["203.0.113.5, nonsense"], "10.1.0.1"),
        ("10.1.0.1", [""], "10.1.0.1"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy_of_ours(
    peer: str, forwarded: list[str], client: str
) -> None:
    """What stands before it is the client's own word."""
    headers = [("X-Forwarded-For", value) for value in forwarded]
    assert PROXIES.client_address(peer, headers) == client
