"""``firebreak token``, and who is let in by what it makes."""

from __future__ import annotations

import stat
import time
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr

from agents.oncall.access.entrance import Entrance, Session
from agents.oncall.access.roles import Person, Role
from agents.oncall.access.tokens import LINK_LASTS, SESSION_LASTS, Grant, Purpose, Tokens
from topology.access import build_guard, web_key_file
from topology.cli import main
from topology.settings import Settings, SettingsInvalid, load_settings
from topology.stack import _web_key

KEY = "k" * 43
HOUR = 3600 * 1_000_000


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("FIREBREAK_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("FIREBREAK_WEB_KEY", KEY)
    return None


def firebreak(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["token", *arguments])


def now_us() -> int:
    return time.time_ns() // 1000


def test_a_token_lasts_as_long_as_it_was_asked_for(run: object) -> None:
    """For programs, or to be pasted by a person."""
    made = firebreak("create", "--role", "responder", "--name", "op-7", "--lasts", "2h")
    found = Tokens([KEY]).read(made.stdout.strip(), Purpose.BEARER, now_us())
    assert isinstance(found, Grant)
    assert found.person == Person("op-7", Role.RESPONDER)
    assert 1.9 * HOUR < found.expires_at - now_us() <= 2 * HOUR


def test_a_link_signs_in_once_within_minutes(run: object) -> None:
    """Its token is behind the #, which no server is sent."""
    arguments = ("--role", "viewer", "--name", "op-7", "--once", "--url", "https://oncall.example/")
    address, _, token = firebreak("create", *arguments).stdout.strip().partition("#")
    assert address == "https://oncall.example/sign-in"
    entrance = Entrance(Tokens([KEY]))
    assert not isinstance(entrance.enter(token, now_us() + LINK_LASTS, "late"), Session)
    session = entrance.enter(token, now_us(), "session-1")
    assert isinstance(session, Session)
    assert session.grant.person.role is Role.VIEWER
    assert session.grant.expires_at - now_us() <= SESSION_LASTS


def test_two_tokens_are_never_the_same(run: object) -> None:
    """Each has an id of its own: else one link used up another."""
    arguments = ("create", "--role", "viewer", "--name", "op-7", "--once")
    assert firebreak(*arguments).stdout != firebreak(*arguments).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--role", "root", "--name", "op-7"),
        ("--role", "viewer"),
        ("--role", "viewer", "--name", ""),
        ("--role", "viewer", "--name", "op\n7"),
        ("--role", "viewer", "--name", "op-7", "--lasts", "0h"),
        ("--role", "viewer", "--name", "op-7", "--lasts", "soon"),
        ("--role", "viewer", "--name", "op-7", "--lasts", "400d"),
    ],
)
def test_what_makes_no_token_is_told(run: object, arguments: tuple[str, ...]) -> None:
    """By the option that is wrong."""
    result = firebreak("create", *arguments)
    assert result.exit_code == 2
    assert "--" in result.output


def test_without_a_key_it_is_said_how_to_come_by_one(
    run: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is signed with a key that nobody else has."""
    monkeypatch.delenv("FIREBREAK_WEB_KEY")
    result = firebreak("create", "--role", "viewer", "--name", "op-7")
    assert result.exit_code == 1
    assert "firebreak token key" in result.output


def test_beside_a_stack_that_runs_its_own_key_is_used(
    run: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its owner can read it, and it goes when the stack ends."""
    monkeypatch.delenv("FIREBREAK_WEB_KEY")
    settings = load_settings(runtime_dir=tmp_path)
    with _web_key(settings) as key:
        assert stat.S_IMODE(web_key_file(settings).stat().st_mode) == 0o600
        made = firebreak("create", "--role", "viewer", "--name", "op-7").stdout.strip()
        assert isinstance(Tokens([key]).read(made, Purpose.BEARER, now_us()), Grant)
    assert not web_key_file(settings).exists()
    with _web_key(Settings(runtime_dir=tmp_path, web_key=SecretStr(KEY))) as own:
        assert own == KEY
        assert not web_key_file(settings).exists()


def test_new_keys_fit_and_differ() -> None:
    """Either signs."""
    first, second = firebreak("key").stdout.strip(), firebreak("key").stdout.strip()
    assert first != second
    assert Tokens([first, second]).on


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"web_key": "short-secret"}, "FIREBREAK_WEB_KEY: .*32 characters"),
        ({"web_key_previous": KEY}, "FIREBREAK_WEB_KEY_PREVIOUS needs FIREBREAK_WEB_KEY"),
        ({"web_proxies": ["10.1.0.0/16"]}, "FIREBREAK_WEB_PROXIES needs FIREBREAK_WEB_KEY"),
        ({"web_key": KEY, "web_proxies": ["10.1.0.1/16"]}, "FIREBREAK_WEB_PROXIES"),
        ({"web_key": KEY, "web_proxy_roles": {"oncall": "root"}}, "FIREBREAK_WEB_PROXY_ROLES"),
    ],
)
def test_settings_that_let_nobody_or_anybody_in_are_refused(
    settings: dict[str, object], told: str
) -> None:
    """By name, and without the key."""
    with pytest.raises(SettingsInvalid, match=told) as refused:
        load_settings(**settings)
    assert "short-secret" not in str(refused.value)


def test_the_environment_says_which_proxies_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON where there are several."""
    monkeypatch.setenv("FIREBREAK_WEB_KEY", KEY)
    monkeypatch.setenv("FIREBREAK_WEB_PROXIES", '["10.1.0.0/16"]')
    monkeypatch.setenv("FIREBREAK_WEB_PROXY_ROLES", '{"oncall": "responder"}')
    proxies = build_guard(load_settings(), Counter()).callers.proxies
    assert proxies.trusts("10.1.0.7")
    named = [("X-Forwarded-User", "op-7"), ("X-Forwarded-Groups", "oncall,others")]
    assert proxies.person(named) == Person("op-7", Role.RESPONDER)
