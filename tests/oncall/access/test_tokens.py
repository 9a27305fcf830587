"""Tokens, links and sessions: only what we signed, for what it is for, and for as long as it is."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.oncall.access.entrance import Entrance, Session
from agents.oncall.access.remembered import Remembered
from agents.oncall.access.roles import Permission, Person, Role
from agents.oncall.access.tokens import (
    LINK_LASTS,
    NAME_CHARACTERS,
    SESSION_LASTS,
    Grant,
    KeyUnfit,
    NameUnfit,
    Purpose,
    Refusal,
    Tokens,
)
from tests.builders import SECOND

NOW = 1_700_000_000_000_000
KEY, OTHER_KEY = "k" * 43, "o" * 43
TOKENS = Tokens([KEY])
HOUR = 3600 * SECOND
OP_7 = Person("op-7", Role.RESPONDER)

purposes = st.sampled_from(Purpose)
people = st.builds(
    Person,
    st.text(min_size=1, max_size=NAME_CHARACTERS).filter(
        lambda name: name.isprintable() and name == name.strip()
    ),
    st.sampled_from(Role),
)


def issued(purpose: Purpose = Purpose.BEARER, person: Person = OP_7, keys: str = KEY) -> str:
    return Tokens([keys]).issue(purpose, person, NOW + HOUR, "id-1")


def unsigned(claims: dict[str, object], **header: str) -> str:
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


@given(people, purposes, st.integers(1, 10**8))
def test_a_token_says_whom_it_was_issued_for(person: Person, purpose: Purpose, life: int) -> None:
    """For as long as it lasts, and not a second longer."""
    until = NOW + life * SECOND
    token = TOKENS.issue(purpose, person, until, "id-1")
    assert TOKENS.read(token, purpose, until - 1) == Grant("id-1", person, until)
    assert TOKENS.read(token, purpose, until) is Refusal.EXPIRED


@given(purposes, purposes)
def test_a_token_is_good_for_one_purpose(made_for: Purpose, used_for: Purpose) -> None:
    """A link is no session, a session no bearer's token."""
    found = TOKENS.read(issued(made_for), used_for, NOW)
    assert isinstance(found, Grant) is (made_for is used_for)


@given(st.data())
def test_a_token_that_was_altered_or_cut_is_none(data: st.DataObject) -> None:
    """At whichever place; base64's spare bits may be spelled otherwise and mean the same."""
    token = issued()
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("Aa0_-.=~ é\n"))
    for changed in (token[:place], token[:place] + letter + token[place + 1 :]):
        found = TOKENS.read(changed, Purpose.BEARER, NOW)
        assert found is Refusal.INVALID or found == TOKENS.read(token, Purpose.BEARER, NOW)
        if changed.rpartition(".")[0] != token.rpartition(".")[0]:
            assert found is Refusal.INVALID


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
def test_whatever_comes_is_refused_and_not_choked_on(token: str) -> None:
    """Nothing but a refusal comes of what somebody made up."""
    for purpose in Purpose:
        assert TOKENS.read(token, purpose, NOW) is Refusal.INVALID


def test_a_token_without_a_signature_is_none() -> None:
    """``alg: none`` and other algorithms than ours, whatever the token says of itself."""
    claims = {"sub": "op-7", "role": "admin", "jti": "1", "exp": NOW}
    signature = issued().rpartition(".")[2]
    for algorithm in ("none", "None", "HS256", "HS512", "RS256", "EdDSA", ""):
        token = unsigned(claims, alg=algorithm, typ="firebreak-bearer+jwt")
        assert TOKENS.read(token, Purpose.BEARER, NOW) is Refusal.INVALID
        assert TOKENS.read(token + signature, Purpose.BEARER, NOW) is Refusal.INVALID


def test_a_role_that_nobody_gave_is_not_had() -> None:
    """The claims of one token do not go with another's signature."""
    viewer = issued(person=Person("op-7", Role.VIEWER)).split(".")
    admin = issued(person=Person("op-7", Role.ADMIN)).split(".")
    mixed = ".".join((viewer[0], admin[1], viewer[2]))
    assert TOKENS.read(mixed, Purpose.BEARER, NOW) is Refusal.INVALID


def test_another_key_signs_nothing_here() -> None:
    """Nor does anything count where there is no key at all."""
    assert TOKENS.read(issued(keys=OTHER_KEY), Purpose.BEARER, NOW) is Refusal.INVALID
    assert Tokens([]).read(issued(), Purpose.BEARER, NOW) is Refusal.OFF


def test_keys_are_rotated_without_signing_anybody_out() -> None:
    """The new one signs, both verify; then the old one's tokens are good no more."""
    both = Tokens([OTHER_KEY, KEY])
    assert isinstance(both.read(issued(), Purpose.BEARER, NOW), Grant)
    new = both.issue(Purpose.BEARER, OP_7, NOW + HOUR, "id-2")
    assert isinstance(Tokens([OTHER_KEY]).read(new, Purpose.BEARER, NOW), Grant)
    assert TOKENS.read(new, Purpose.BEARER, NOW) is Refusal.INVALID


def test_a_short_key_is_refused_without_telling_it() -> None:
    """Told at once, not when somebody guessed it."""
    with pytest.raises(KeyUnfit) as told:
        Tokens([KEY, "secret"])
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("name", ["", " op", "op\n7", "op\x007", "n" * (NAME_CHARACTERS + 1)])
def test_a_name_is_plain_and_short(name: str) -> None:
    """It is shown to people and kept in the audit."""
    with pytest.raises(NameUnfit):
        issued(person=Person(name, Role.VIEWER))


def test_a_link_signs_in_once() -> None:
    """Replayed, it is spent; late, it is expired."""
    entrance = Entrance(TOKENS)
    link = TOKENS.issue(Purpose.LINK, OP_7, NOW + LINK_LASTS, "link-1")
    session = entrance.enter(link, NOW, "session-1")
    assert isinstance(session, Session)
    assert entrance.whose(session.token, NOW) == Grant("session-1", OP_7, NOW + SESSION_LASTS)
    assert entrance.enter(link, NOW + 1, "session-2") is Refusal.SPENT
    assert entrance.enter(link, NOW + LINK_LASTS, "session-3") is Refusal.EXPIRED


def test_a_session_does_not_outlast_the_token_it_came_from() -> None:
    """12 hours, or as long as the bearer's token."""
    session = Entrance(TOKENS).enter(issued(), NOW, "session-1")
    assert isinstance(session, Session)
    assert session.grant.expires_at == NOW + HOUR


@pytest.mark.parametrize("token", ["", "x", issued(Purpose.SESSION)])
def test_nobody_comes_in_by_what_is_no_link_or_bearers_token(token: str) -> None:
    """A session's token signs nobody in anew: else it would never end."""
    assert Entrance(TOKENS).enter(token, NOW, "session-1") is Refusal.INVALID


def test_a_session_that_was_ended_is_good_for_nothing() -> None:
    """A copy of it neither."""
    entrance = Entrance(TOKENS)
    first, second = (entrance.enter(issued(), NOW, name) for name in ("one", "two"))
    assert isinstance(first, Session)
    assert isinstance(second, Session)
    entrance.leave(first.token, NOW)
    entrance.leave("forged", NOW)
    assert entrance.whose(first.token, NOW) is Refusal.REVOKED
    assert isinstance(entrance.whose(second.token, NOW), Grant)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20), st.integers(0, 3))))
def test_what_is_remembered_is_bounded(steps: list[tuple[int, int, int]]) -> None:
    """Below the bound nothing is forgotten before it would have expired."""
    limit, now = 40, 0
    remembered, known = Remembered(limit), dict[str, int]()
    for name, life, passing in steps:
        now += passing
        live = {each for each, until in known.items() if until > now}
        was_new = remembered.add(str(name), now + life, now)
        if str(name) in live:
            assert not was_new
        elif was_new:
            known[str(name)] = now + life
        assert live <= {each for each in known if each in remembered}
        assert len(remembered) <= limit
    for number in range(100):
        remembered.add(f"more-{number}", now + 100 + number, now)
        assert len(remembered) <= limit
    assert "more-99" in remembered
    assert "more-0" not in remembered


@pytest.mark.parametrize(
    ("role", "granted"),
    [
        (Role.VIEWER, {Permission.OPEN, Permission.VIEW}),
        (
            Role.RESPONDER,
            {Permission.OPEN, Permission.VIEW, Permission.EVIDENCE, Permission.ACT},
        ),
        (Role.ADMIN, set(Permission)),
    ],
)
def test_each_role_may_do_what_it_says(role: Role, granted: set[Permission]) -> None:
    """The whole matrix."""
    person = Person("op-7", role)
    assert {each for each in Permission if person.may(each)} == granted
